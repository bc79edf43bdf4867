// A peer of metagate's own design: the document of a cluster stands in its row,
// and is kept for a while in a map where that is asked for. One process, so a
// write forgets what it changed; what others would have to be told is left out.
package main

import (
	"database/sql"
	"encoding/json"
	"sync"
	"time"
)

const keptFor = 30 * time.Second

type kept struct {
	text  string // JSON, or the instance that a cloud_unique_id belongs to
	until time.Time
}

type docs struct {
	find, get, all *sql.Stmt
	keeps          bool
	lock           sync.RWMutex
	found          map[string]kept
	writes         uint64 // of what is read meanwhile nothing is kept
}

var design *docs

func newDocs(keeps bool) *docs {
	return &docs{
		keeps: keeps,
		found: map[string]kept{},
		find: prepare("SELECT instance_id FROM doris_cloud_id" +
			" WHERE cloud_unique_id = ?"),
		get: prepare("SELECT c.doc, c.instance_id FROM doris_cluster c" +
			" WHERE c.instance_id = COALESCE((SELECT u.instance_id" +
			" FROM doris_cloud_id u WHERE u.cloud_unique_id = ?), ?)" +
			" AND c.cluster_id = ?"),
		all: prepare("SELECT doc FROM doris_cluster WHERE instance_id = ?" +
			" ORDER BY seq"),
	}
}

// What is kept under that key, and how many writes there were.
func (d *docs) look(key string) (string, bool, uint64) {
	if !d.keeps {
		return "", false, 0
	}
	d.lock.RLock()
	k, there := d.found[key]
	writes := d.writes
	d.lock.RUnlock()
	return k.text, there && time.Now().Before(k.until), writes
}

func (d *docs) keep(key, text string, writes uint64) {
	if !d.keeps {
		return
	}
	d.lock.Lock()
	if d.writes == writes {
		d.found[key] = kept{text, time.Now().Add(keptFor)}
	}
	d.lock.Unlock()
}

func (d *docs) forget(instance, cluster string) {
	if !d.keeps {
		return
	}
	d.lock.Lock()
	d.writes++
	delete(d.found, "c "+instance+" "+cluster)
	delete(d.found, "i "+instance)
	d.lock.Unlock()
}

func (d *docs) cluster(in *input) (interface{}, error) {
	owner, there, _ := d.look("u " + in.CloudUniqueID)
	if in.CloudUniqueID == "" {
		owner, there = in.InstanceID, true
	}
	var doc string
	var writes uint64
	if there {
		doc, there, writes = d.look("c " + owner + " " + in.ClusterID)
	} else {
		_, _, writes = d.look("")
	}
	if !there {
		err := d.get.QueryRow(in.CloudUniqueID, in.InstanceID,
			in.ClusterID).Scan(&doc, &owner)
		if err != nil {
			return nil, err
		}
		d.keep("u "+in.CloudUniqueID, owner, writes)
		d.keep("c "+owner+" "+in.ClusterID, doc, writes)
	}
	return json.RawMessage(doc), nil
}

// An instance with the documents of its clusters.
type rendered struct {
	instance
	Clusters []json.RawMessage `json:"clusters"`
}

func (d *docs) instance(in *input, inst *sql.Stmt) (interface{}, error) {
	text, there, writes := d.look("i " + in.InstanceID)
	if there {
		return json.RawMessage(text), nil
	}
	var i rendered
	err := inst.QueryRow(in.InstanceID).Scan(&i.UserID, &i.InstanceID, &i.Name,
		&i.Ctime, &i.Mtime, &i.Status, &i.SSE, &i.Vault)
	if err != nil {
		return nil, err
	}
	rows, err := d.all.Query(in.InstanceID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var doc string
		if err = rows.Scan(&doc); err != nil {
			return nil, err
		}
		i.Clusters = append(i.Clusters, json.RawMessage(doc))
	}
	if err = rows.Err(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(i)
	if err != nil {
		return nil, err
	}
	d.keep("i "+in.InstanceID, string(b), writes)
	return json.RawMessage(b), nil
}
