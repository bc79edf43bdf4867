// The operations of the bench in Go: net/http, database/sql and
// go-sql-driver/mysql, prepared statements, as one would write them.
//
//	peer ADDRESS:PORT SOCKET USER PASSWORD TOKEN
package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
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

// One row per node, the nodes of a cluster together.
func scanClusters(rows *sql.Rows, out []cluster) ([]cluster, error) {
	defer rows.Close()
	for rows.Next() {
		var c cluster
		var n node
		err := rows.Scan(&c.ClusterID, &c.ClusterName, &c.Type, &c.Status,
			&c.Ctime, &c.Mtime, &n.CloudUniqueID, &n.IP, &n.Ctime,
			&n.Mtime, &n.Status, &n.HeartbeatPort, &n.Host)
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
	var seq int64
	var kind string
	err = tx.Stmt(st["find"]).QueryRow(in.InstanceID, in.Cluster.ClusterID).
		Scan(&seq, &kind)
	if err != nil {
		return err
	}
	for i, n := range in.Cluster.Nodes {
		if _, err = tx.Stmt(st["claim"]).Exec(n.CloudUniqueID,
			in.InstanceID); err != nil {
			return err
		}
		if _, err = tx.Stmt(st["node"]).Exec(in.InstanceID, seq,
			version<<12|int64(i), kind, n.Host, n.HeartbeatPort,
			n.CloudUniqueID, n.IP, now.Unix(), now.Unix(), "NODE_STATUS_RUNNING",
			n.HeartbeatPort, n.Host); err != nil {
			return err
		}
	}
	if _, err = tx.Stmt(st["touch"]).Exec(now.Unix(), in.InstanceID,
		seq); err != nil {
		return err
	}
	if _, err = tx.Stmt(st["audit"]).Exec(id, "admin", "go", "add_node",
		in.InstanceID+"/"+in.Cluster.ClusterID, string(raw),
		now.UnixMilli()); err != nil {
		return err
	}
	return tx.Commit()
}

func main() {
	address, socket, user, password, token := os.Args[1], os.Args[2],
		os.Args[3], os.Args[4], os.Args[5]
	var err error
	db, err = sql.Open("mysql", fmt.Sprintf(
		"%s:%s@unix(%s)/bench_peers?sql_log_bin=0", user, password, socket))
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
		"find": prepare("SELECT seq, type FROM doris_cluster" +
			" WHERE instance_id = ? AND cluster_id = ?"),
		"claim": prepare("INSERT INTO doris_cloud_id (cloud_unique_id," +
			" instance_id) VALUES (?, ?)"),
		"node": prepare("INSERT INTO doris_node (instance_id, seq, ord," +
			" kind, addr, port, cloud_unique_id, ip, ctime, mtime," +
			" status, heartbeat_port, host)" +
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
		"touch": prepare("UPDATE doris_cluster SET mtime = ?" +
			" WHERE instance_id = ? AND seq = ?"),
		"audit": prepare("INSERT INTO audit (request_id, token_name," +
			" listener, operation, target, request_json, at_ms)" +
			" VALUES (?, ?, ?, ?, ?, ?, ?)"),
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
	log.Fatal(http.ListenAndServe(address, nil))
}
