// The operations of the bench in Go: net/http, database/sql and
// go-sql-driver/mysql, prepared statements, as one would write them.
//
//	peer ADDRESS:PORT SOCKET USER PASSWORD TOKEN SCHEMA [doc|kept]
//
// With doc or kept it has metagate's own idea (design.go): replies are rendered
// when they are written.
package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	_ "github.com/go-sql-driver/mysql"
)

type node struct {
	CloudUniqueID string `json:"cloud_unique_id"`
	IP            string `json:"ip"`
	Ctime         int64  `json:"ctime,string"`
	Mtime         int64  `json:"mtime,string"`
	Status        string `json:"status,omitempty"`
	HeartbeatPort int    `json:"heartbeat_port"`
	Host          string `json:"host"`
}

type cluster struct {
	ClusterID   string `json:"cluster_id"`
	ClusterName string `json:"cluster_name"`
	Type        string `json:"type"`
	Nodes       []node `json:"nodes"`
	Status      string `json:"cluster_status"`
	Ctime       int64  `json:"ctime,string"`
	Mtime       int64  `json:"mtime,string"`
}

type instance struct {
	UserID     string    `json:"user_id"`
	InstanceID string    `json:"instance_id"`
	Name       string    `json:"name"`
	Clusters   []cluster `json:"clusters"`
	Ctime      int64     `json:"ctime,string"`
	Mtime      int64     `json:"mtime,string"`
	Status     string    `json:"status"`
	SSE        bool      `json:"sse_enabled"`
	Vault      bool      `json:"enable_storage_vault"`
}

type reply struct {
	Code   string      `json:"code"`
	Msg    string      `json:"msg"`
	Result interface{} `json:"result,omitempty"`
}

type input struct {
	InstanceID    string `json:"instance_id"`
	CloudUniqueID string `json:"cloud_unique_id"`
	ClusterID     string `json:"cluster_id"`
	Cluster       struct {
		ClusterID string `json:"cluster_id"`
		Nodes     []struct {
			CloudUniqueID string `json:"cloud_unique_id"`
			IP            string `json:"ip"`
			Host          string `json:"host"`
			HeartbeatPort int    `json:"heartbeat_port"`
		} `json:"nodes"`
	} `json:"cluster"`
}

type general struct {
	Name        string `json:"app_name"`
	ID          int    `json:"app_id,string"`
	Partitions  int    `json:"partition_count,string"`
	MaxReplicas int    `json:"max_replica_count,string"`
}

type replicas struct {
	Pidx        int    `json:"pidx,string"`
	Ballot      int64  `json:"ballot,string"`
	Count       string `json:"replica_count"`
	Primary     string `json:"primary"`
	Secondaries string `json:"secondaries"`
}

type holder struct {
	Node      string `json:"node"`
	Primary   int    `json:"primary,string"`
	Secondary int    `json:"secondary,string"`
	Total     int    `json:"total,string"`
}

type health struct {
	Fully     int `json:"fully_healthy_partition_count,string"`
	Unhealthy int `json:"unhealthy_partition_count,string"`
	Write     int `json:"write_unhealthy_partition_count,string"`
	Read      int `json:"read_unhealthy_partition_count,string"`
}

type table struct {
	General  general             `json:"general"`
	Replicas map[string]replicas `json:"replicas"`
	Nodes    map[string]*holder  `json:"nodes"`
	Healthy  health              `json:"healthy"`
}

type line struct {
	ID         int    `json:"app_id,string"`
	Status     string `json:"status"`
	Name       string `json:"app_name"`
	Type       string `json:"app_type"`
	Partitions int    `json:"partition_count,string"`
	Replicas   int    `json:"replica_count,string"`
	Stateful   bool   `json:"is_stateful,string"`
	Created    string `json:"create_time"`
	Dropped    string `json:"drop_time"`
	Expires    string `json:"drop_expire"`
	Envs       int    `json:"envs_count,string"`
}

type healthLine struct {
	ID         int    `json:"app_id,string"`
	Name       string `json:"app_name"`
	Partitions int    `json:"partition_count,string"`
	Fully      int    `json:"fully_healthy,string"`
	Unhealthy  int    `json:"unhealthy,string"`
	Write      int    `json:"write_unhealthy,string"`
	Read       int    `json:"read_unhealthy,string"`
}

type summary struct {
	Total     int `json:"total_app_count,string"`
	Fully     int `json:"fully_healthy_app_count,string"`
	Unhealthy int `json:"unhealthy_app_count,string"`
	Write     int `json:"write_unhealthy_app_count,string"`
	Read      int `json:"read_unhealthy_app_count,string"`
}

type tables struct {
	General map[string]line        `json:"general_info"`
	Healthy map[string]*healthLine `json:"healthy_info"`
	Summary summary                `json:"summary"`
}

const columns = "c.cluster_id, c.cluster_name, c.type, c.cluster_status," +
	" c.ctime, c.mtime, n.cloud_unique_id, n.ip, n.ctime, n.mtime," +
	" COALESCE(n.status, ''), n.heartbeat_port, n.host FROM doris_cluster c" +
	" JOIN doris_node n ON n.instance_id = c.instance_id AND n.seq = c.seq"

var db *sql.DB

func prepare(q string) *sql.Stmt {
	s, err := db.Prepare(q)
	if err != nil {
		log.Fatal(err)
	}
	return s
}

// One row per node, the nodes of a cluster together; before: columns in front.
func scanClusters(rows *sql.Rows, out []cluster,
	before ...interface{}) ([]cluster, error) {
	defer rows.Close()
	for rows.Next() {
		var c cluster
		var n node
		err := rows.Scan(append(before[:len(before):len(before)],
			&c.ClusterID, &c.ClusterName, &c.Type, &c.Status,
			&c.Ctime, &c.Mtime, &n.CloudUniqueID, &n.IP, &n.Ctime,
			&n.Mtime, &n.Status, &n.HeartbeatPort, &n.Host)...)
		if err != nil {
			return nil, err
		}
		if len(out) == 0 || out[len(out)-1].ClusterID != c.ClusterID {
			out = append(out, c)
		}
		last := &out[len(out)-1]
		last.Nodes = append(last.Nodes, n)
	}
	return out, rows.Err()
}

// Whether all is well, whether writes and reads go on.
func judge(primary bool, members, most int) (bool, bool, bool) {
	least := 2
	if most <= 2 {
		least = 1
	}
	return primary && members >= most, primary && members >= least, primary
}

func getTable(st map[string]*sql.Stmt, name string) (*table, error) {
	t := table{Replicas: map[string]replicas{}, Nodes: map[string]*holder{}}
	g := &t.General
	err := st["app"].QueryRow(name).Scan(&g.Name, &g.ID, &g.Partitions,
		&g.MaxReplicas)
	if err != nil {
		return nil, err
	}
	rows, err := st["partitions"].Query(g.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	total := &holder{Node: "total"}
	at := func(node string) *holder {
		h := t.Nodes[node]
		if h == nil {
			h = &holder{Node: node}
			t.Nodes[node] = h
		}
		return h
	}
	for rows.Next() {
		var r replicas
		var primary sql.NullString
		var secondaries string
		var members, most int
		err = rows.Scan(&r.Pidx, &r.Ballot, &primary, &secondaries, &members,
			&most)
		if err != nil {
			return nil, err
		}
		r.Count = fmt.Sprintf("%d/%d", members, most)
		r.Primary, r.Secondaries = "-", "["+secondaries+"]"
		if primary.Valid {
			r.Primary = primary.String
			at(r.Primary).Primary++
			total.Primary++
		}
		if secondaries != "" {
			for _, node := range strings.Split(secondaries, ",") {
				at(node).Secondary++
				total.Secondary++
			}
		}
		all, write, read := judge(primary.Valid, members, most)
		if all {
			t.Healthy.Fully++
		} else {
			t.Healthy.Unhealthy++
		}
		if !write {
			t.Healthy.Write++
		}
		if !read {
			t.Healthy.Read++
		}
		t.Replicas[strconv.Itoa(r.Pidx)] = r
	}
	t.Nodes["total"] = total
	for _, h := range t.Nodes {
		h.Total = h.Primary + h.Secondary
	}
	return &t, rows.Err()
}

func scanLines(rows *sql.Rows, t *tables) error {
	defer rows.Close()
	for rows.Next() {
		l := line{Dropped: "-", Expires: "-"}
		var created int64
		err := rows.Scan(&l.ID, &l.Status, &l.Name, &l.Type, &l.Partitions,
			&l.Replicas, &l.Stateful, &created, &l.Envs)
		if err != nil {
			return err
		}
		l.Created = time.Unix(created, 0).Format("2006-01-02 15:04:05.000")
		id := strconv.Itoa(l.ID)
		t.General[id] = l
		t.Healthy[id] = &healthLine{ID: l.ID, Name: l.Name,
			Partitions: l.Partitions}
	}
	return rows.Err()
}

func scanGroups(rows *sql.Rows, t *tables) error {
	defer rows.Close()
	for rows.Next() {
		var id, members, most, n int
		var primary bool
		err := rows.Scan(&id, &primary, &members, &most, &n)
		if err != nil {
			return err
		}
		h := t.Healthy[strconv.Itoa(id)]
		all, write, read := judge(primary, members, most)
		if all {
			h.Fully += n
		} else {
			h.Unhealthy += n
		}
		if !write {
			h.Write += n
		}
		if !read {
			h.Read += n
		}
	}
	return rows.Err()
}

func getTables(st map[string]*sql.Stmt) (*tables, error) {
	t := tables{General: map[string]line{}, Healthy: map[string]*healthLine{}}
	rows, err := st["lines"].Query()
	if err == nil {
		err = scanLines(rows, &t)
	}
	if err == nil {
		rows, err = st["groups"].Query()
	}
	if err == nil {
		err = scanGroups(rows, &t)
	}
	for _, h := range t.Healthy {
		t.Summary.Total++
		if h.Unhealthy == 0 {
			t.Summary.Fully++
		} else {
			t.Summary.Unhealthy++
		}
		if h.Write > 0 {
			t.Summary.Write++
		}
		if h.Read > 0 {
			t.Summary.Read++
		}
	}
	return &t, err
}

func addNode(in *input, id string, st map[string]*sql.Stmt, raw []byte) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	now := time.Now()
	res, err := tx.Stmt(st["bump"]).Exec(now.Unix(), in.InstanceID)
	if err != nil {
		return err
	}
	version, err := res.LastInsertId()
	if err != nil {
		return err
	}
	rows, err := tx.Stmt(st["find"]).Query(in.InstanceID, in.Cluster.ClusterID)
	if err != nil {
		return err
	}
	var seq int64
	found, err := scanClusters(rows, nil, &seq)
	if err != nil || len(found) != 1 {
		return fmt.Errorf("no cluster: %v", err)
	}
	c := found[0]
	before, err := json.Marshal(c)
	if err != nil {
		return err
	}
	for i, n := range in.Cluster.Nodes {
		if _, err = tx.Stmt(st["claim"]).Exec(n.CloudUniqueID,
			in.InstanceID); err != nil {
			return err
		}
		if _, err = tx.Stmt(st["node"]).Exec(in.InstanceID, seq,
			version<<12|int64(i), c.Type, n.Host, n.HeartbeatPort,
			n.CloudUniqueID, n.IP, now.Unix(), now.Unix(), "NODE_STATUS_RUNNING",
			n.HeartbeatPort, n.Host); err != nil {
			return err
		}
		c.Nodes = append(c.Nodes, node{CloudUniqueID: n.CloudUniqueID,
			IP: n.IP, Ctime: now.Unix(), Mtime: now.Unix(),
			Status: "NODE_STATUS_RUNNING", HeartbeatPort: n.HeartbeatPort,
			Host: n.Host})
	}
	c.Mtime = now.Unix()
	after, err := json.Marshal(c)
	if err != nil {
		return err
	}
	touched := []interface{}{now.Unix(), in.InstanceID, seq}
	if design != nil {
		touched = append([]interface{}{string(after)}, touched...)
	}
	if _, err = tx.Stmt(st["touch"]).Exec(touched...); err != nil {
		return err
	}
	if _, err = tx.Stmt(st["audit"]).Exec(id, "admin", "go", "add_node",
		in.InstanceID+"/"+in.Cluster.ClusterID, string(raw), string(before),
		string(after), now.UnixMilli()); err != nil {
		return err
	}
	if design != nil {
		defer design.forget(in.InstanceID, in.Cluster.ClusterID)
	}
	return tx.Commit()
}

func main() {
	address, socket, user, password, token := os.Args[1], os.Args[2],
		os.Args[3], os.Args[4], os.Args[5]
	var err error
	db, err = sql.Open("mysql", fmt.Sprintf("%s:%s@unix(%s)/%s?sql_log_bin=0",
		user, password, socket, os.Args[6]))
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	get := prepare("SELECT " + columns + " WHERE c.instance_id = COALESCE(" +
		"(SELECT u.instance_id FROM doris_cloud_id u" +
		" WHERE u.cloud_unique_id = ?), ?) AND c.cluster_id = ?" +
		" ORDER BY n.ord")
	inst := prepare("SELECT user_id, instance_id, name, ctime, mtime, status," +
		" sse_enabled, enable_storage_vault FROM doris_instance" +
		" WHERE instance_id = ?")
	all := prepare("SELECT " + columns + " WHERE c.instance_id = ?" +
		" ORDER BY c.seq, n.ord")
	st := map[string]*sql.Stmt{
		"bump": prepare("UPDATE doris_instance SET version =" +
			" LAST_INSERT_ID(version + 1), mtime = ?" +
			" WHERE instance_id = ? AND status <> 'DELETED'"),
		"find": prepare("SELECT c.seq, " + columns + " WHERE" +
			" c.instance_id = ? AND c.cluster_id = ? ORDER BY n.ord"),
		"claim": prepare("INSERT INTO doris_cloud_id (cloud_unique_id," +
			" instance_id) VALUES (?, ?)"),
		"node": prepare("INSERT INTO doris_node (instance_id, seq, ord," +
			" kind, addr, port, cloud_unique_id, ip, ctime, mtime," +
			" status, heartbeat_port, host)" +
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
		"touch": prepare("UPDATE doris_cluster SET mtime = ?" +
			" WHERE instance_id = ? AND seq = ?"),
		"app": prepare("SELECT a.app_name, a.app_id, a.partition_count," +
			" p.max_replica_count FROM pegasus_app a" +
			" JOIN pegasus_partition p ON p.app_id = a.app_id" +
			" AND p.pidx = 0 WHERE a.live_name = ?"),
		"partitions": prepare("SELECT pidx, ballot, primary_node," +
			" secondaries, members, max_replica_count" +
			" FROM pegasus_partition WHERE app_id = ? ORDER BY pidx"),
		"lines": prepare("SELECT a.app_id, a.status, a.app_name," +
			" a.app_type, a.partition_count, a.max_replica_count," +
			" a.is_stateful, a.create_second, (SELECT COUNT(*)" +
			" FROM pegasus_app_env e WHERE e.app_id = a.app_id)" +
			" FROM pegasus_app a WHERE a.status = 'AVAILABLE'" +
			" ORDER BY a.app_id"),
		"groups": prepare("SELECT a.app_id," +
			" p.primary_node IS NOT NULL AS has_primary, p.members," +
			" p.max_replica_count, COUNT(*) FROM pegasus_app a" +
			" JOIN pegasus_partition p ON p.app_id = a.app_id" +
			" WHERE a.status = 'AVAILABLE' GROUP BY a.app_id, has_primary," +
			" p.members, p.max_replica_count ORDER BY a.app_id"),
		"audit": prepare("INSERT INTO audit (request_id, token_name," +
			" listener, operation, target, request_json, before_json," +
			" after_json, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
	}
	if len(os.Args) > 7 {
		design = newDocs(os.Args[7] == "kept")
		st["touch"] = prepare("UPDATE doris_cluster SET doc = ?, mtime = ?" +
			" WHERE instance_id = ? AND seq = ?")
	}

	start, requests := time.Now().UnixNano(), make(chan int64, 1)
	requests <- 0
	requestID := func() string {
		n := <-requests
		requests <- n + 1
		return fmt.Sprintf("go-%x-%x", start, n)
	}
	answer := func(w http.ResponseWriter, status int, r reply) {
		b, _ := json.Marshal(r)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		w.Write(b)
	}
	handle := func(path string, f func(*input, []byte) (interface{}, error)) {
		http.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			var in input
			var raw json.RawMessage
			if r.Header.Get("X-Metagate-Token") != token {
				answer(w, 403, reply{"DENIED", "bad token", nil})
				return
			}
			err := json.NewDecoder(r.Body).Decode(&raw)
			if err == nil {
				err = json.Unmarshal(raw, &in)
			}
			if err != nil {
				answer(w, 400, reply{"BAD_REQUEST", err.Error(), nil})
				return
			}
			res, err := f(&in, raw)
			if err != nil {
				answer(w, 500, reply{"ERROR", err.Error(), nil})
				return
			}
			answer(w, 200, reply{"OK", "", res})
		})
	}
	handle("/get_cluster", func(in *input, _ []byte) (interface{}, error) {
		if design != nil {
			return design.cluster(in)
		}
		rows, err := get.Query(in.CloudUniqueID, in.InstanceID, in.ClusterID)
		if err != nil {
			return nil, err
		}
		c, err := scanClusters(rows, nil)
		if err == nil && len(c) == 0 {
			err = sql.ErrNoRows
		}
		if err != nil {
			return nil, err
		}
		return &c[0], nil
	})
	handle("/add_node", func(in *input, raw []byte) (interface{}, error) {
		return nil, addNode(in, requestID(), st, raw)
	})
	handle("/get_instance", func(in *input, _ []byte) (interface{}, error) {
		if design != nil {
			return design.instance(in, inst)
		}
		var i instance
		err := inst.QueryRow(in.InstanceID).Scan(&i.UserID, &i.InstanceID,
			&i.Name, &i.Ctime, &i.Mtime, &i.Status, &i.SSE, &i.Vault)
		if err != nil {
			return nil, err
		}
		rows, err := all.Query(in.InstanceID)
		if err != nil {
			return nil, err
		}
		i.Clusters, err = scanClusters(rows, nil)
		return &i, err
	})
	look := func(path string, f func(*http.Request) (interface{}, error)) {
		http.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Metagate-Token") != token {
				w.WriteHeader(403)
				return
			}
			res, err := f(r)
			if err != nil {
				w.WriteHeader(500)
				fmt.Fprintln(w, err)
				return
			}
			b, _ := json.Marshal(res)
			w.Header().Set("Content-Type", "application/json")
			w.Write(b)
		})
	}
	look("/meta/app", func(r *http.Request) (interface{}, error) {
		return getTable(st, r.URL.Query().Get("name"))
	})
	look("/meta/apps", func(*http.Request) (interface{}, error) {
		return getTables(st)
	})
	log.Fatal(http.ListenAndServe(address, nil))
}
