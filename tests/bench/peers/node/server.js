// The operations of the bench in Node: Fastify and mysql2 with prepared
// statements, a process per core.
//
//     node server.js ADDRESS PORT SOCKET USER PASSWORD TOKEN PROCESSES
'use strict'

const cluster = require('cluster')
const { randomBytes } = require('crypto')

const [, , host, port, socketPath, user, password, token, processes] =
  process.argv

if (cluster.isPrimary) {
  for (let i = 0; i < Number(processes); i++) cluster.fork()
} else {
  serve()
}

function serve () {
  const app = require('fastify')()
  const pool = require('mysql2').createPool({
    socketPath, user, password, database: 'bench_peers', connectionLimit: 8
  })
  pool.on('connection', (c) => c.query('SET sql_log_bin = 0'))
  const db = pool.promise()

  app.addHook('onRequest', async (request, reply) => {
    if (request.headers['x-metagate-token'] !== token) {
      return reply.code(403).send({ code: 'DENIED', msg: 'bad token' })
    }
  })
  app.post('/get_cluster', async (request) => {
    const { cloud_unique_id: id, instance_id: instance, cluster_id: name } =
      request.body
    const [rows] = await db.execute(GET, [id, instance ?? null, name])
    if (rows.length === 0) throw new Error('no such cluster')
    return { code: 'OK', msg: '', result: clusters(rows)[0] }
  })
  app.post('/get_instance', async (request) => {
    const id = [request.body.instance_id]
    const [[i]] = await db.execute(INSTANCE, id)
    const [rows] = await db.execute(ALL, id)
    return {
      code: 'OK',
      msg: '',
      result: {
        user_id: i.user_id,
        instance_id: String(i.instance_id),
        name: i.name,
        clusters: clusters(rows),
        ctime: String(i.ctime),
        mtime: String(i.mtime),
        status: i.status,
        sse_enabled: i.sse_enabled !== 0,
        enable_storage_vault: i.enable_storage_vault !== 0
      }
    }
  })
  app.post('/add_node', async (request) => {
    const connection = await db.getConnection()
    try {
      await connection.beginTransaction()
      await addNode(connection, request.body)
      await connection.commit()
    } catch (e) {
      await connection.rollback()
      throw e
    } finally {
      connection.release()
    }
    return { code: 'OK', msg: '' }
  })
  app.get('/meta/app', async (request) => table(db, request.query.name))
  app.get('/meta/apps', async () => tables(db))
  app.listen({ host, port: Number(port) })
}

const COLUMNS = `c.cluster_id, c.cluster_name, c.type, c.cluster_status,
  c.ctime, c.mtime, n.cloud_unique_id, n.ip, n.ctime AS n_ctime,
  n.mtime AS n_mtime, n.status, n.heartbeat_port, n.host
  FROM doris_cluster c
  JOIN doris_node n ON n.instance_id = c.instance_id AND n.seq = c.seq`
const GET = `SELECT ${COLUMNS} WHERE c.instance_id = COALESCE(
  (SELECT u.instance_id FROM doris_cloud_id u WHERE u.cloud_unique_id = ?), ?)
  AND c.cluster_id = ? ORDER BY n.ord`
const ALL = `SELECT ${COLUMNS} WHERE c.instance_id = ? ORDER BY c.seq, n.ord`
const INSTANCE = `SELECT user_id, instance_id, name, ctime, mtime, status,
  sse_enabled, enable_storage_vault FROM doris_instance WHERE instance_id = ?`

// One row per node, the nodes of a cluster together. Columns of bytes come as
// Buffers.
function clusters (rows) {
  const all = []
  let last = ''
  for (const r of rows) {
    const id = String(r.cluster_id)
    if (id !== last) {
      last = id
      all.push({
        cluster_id: id,
        cluster_name: String(r.cluster_name),
        type: r.type,
        nodes: [],
        cluster_status: r.cluster_status,
        ctime: String(r.ctime),
        mtime: String(r.mtime)
      })
    }
    all[all.length - 1].nodes.push({
      cloud_unique_id: String(r.cloud_unique_id),
      ip: r.ip,
      ctime: String(r.n_ctime),
      mtime: String(r.n_mtime),
      status: r.status ?? undefined,
      heartbeat_port: r.heartbeat_port,
      host: r.host
    })
  }
  return all
}

async function addNode (connection, input) {
  const { instance_id: instance, cluster } = input
  const now = Math.floor(Date.now() / 1000)
  const [bumped] = await connection.execute(
    `UPDATE doris_instance SET version = LAST_INSERT_ID(version + 1),
     mtime = ? WHERE instance_id = ? AND status <> 'DELETED'`,
    [now, instance])
  const [rows] = await connection.execute(
    `SELECT c.seq, ${COLUMNS} WHERE c.instance_id = ? AND c.cluster_id = ?
     ORDER BY n.ord`, [instance, cluster.cluster_id])
  const seq = rows[0].seq
  const [c] = clusters(rows)
  const before = JSON.stringify(c)
  for (const [i, n] of cluster.nodes.entries()) {
    await connection.execute(
      'INSERT INTO doris_cloud_id (cloud_unique_id, instance_id) VALUES (?, ?)',
      [n.cloud_unique_id, instance])
    await connection.execute(
      `INSERT INTO doris_node (instance_id, seq, ord, kind, addr, port,
       cloud_unique_id, ip, ctime, mtime, status, heartbeat_port, host)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [instance, seq, bumped.insertId * 4096 + i, c.type, n.host,
        n.heartbeat_port, n.cloud_unique_id, n.ip, now, now,
        'NODE_STATUS_RUNNING', n.heartbeat_port, n.host])
    c.nodes.push({
      ...n,
      ctime: String(now),
      mtime: String(now),
      status: 'NODE_STATUS_RUNNING'
    })
  }
  c.mtime = String(now)
  await connection.execute(
    'UPDATE doris_cluster SET mtime = ? WHERE instance_id = ? AND seq = ?',
    [now, instance, seq])
  await connection.execute(
    `INSERT INTO audit (request_id, token_name, listener, operation, target,
     request_json, before_json, after_json, at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ['node-' + randomBytes(12).toString('hex'), 'admin', 'node', 'add_node',
      `${instance}/${cluster.cluster_id}`, JSON.stringify(input), before,
      JSON.stringify(c), Date.now()])
}

// Whether all is well, whether writes and reads go on.
function judge (primary, members, most) {
  const least = most <= 2 ? 1 : 2
  return [primary && members >= most, primary && members >= least, primary]
}

async function table (db, name) {
  const [[g]] = await db.execute(
    `SELECT a.app_name, a.app_id, a.partition_count, p.max_replica_count
     FROM pegasus_app a JOIN pegasus_partition p
     ON p.app_id = a.app_id AND p.pidx = 0 WHERE a.live_name = ?`, [name])
  const [rows] = await db.execute(
    `SELECT pidx, ballot, primary_node, secondaries, members,
     max_replica_count FROM pegasus_partition WHERE app_id = ?
     ORDER BY pidx`, [g.app_id])
  const replicas = {}
  const held = new Map()
  const total = { node: 'total', primary: 0, secondary: 0 }
  const healthy = [0, 0, 0, 0]
  const at = (node) => {
    let h = held.get(node)
    if (!h) held.set(node, h = { node, primary: 0, secondary: 0 })
    return h
  }
  for (const r of rows) {
    if (r.primary_node !== null) {
      at(r.primary_node).primary++
      total.primary++
    }
    for (const n of r.secondaries === '' ? [] : r.secondaries.split(',')) {
      at(n).secondary++
      total.secondary++
    }
    const [all, write, read] =
      judge(r.primary_node !== null, r.members, r.max_replica_count)
    healthy[all ? 0 : 1]++
    if (!write) healthy[2]++
    if (!read) healthy[3]++
    replicas[r.pidx] = {
      pidx: String(r.pidx),
      ballot: String(r.ballot),
      replica_count: `${r.members}/${r.max_replica_count}`,
      primary: r.primary_node ?? '-',
      secondaries: `[${r.secondaries}]`
    }
  }
  held.set('total', total)
  const nodes = {}
  for (const h of held.values()) {
    nodes[h.node] = {
      node: h.node,
      primary: String(h.primary),
      secondary: String(h.secondary),
      total: String(h.primary + h.secondary)
    }
  }
  return {
    general: {
      app_name: g.app_name,
      app_id: String(g.app_id),
      partition_count: String(g.partition_count),
      max_replica_count: String(g.max_replica_count)
    },
    replicas,
    nodes,
    healthy: {
      fully_healthy_partition_count: String(healthy[0]),
      unhealthy_partition_count: String(healthy[1]),
      write_unhealthy_partition_count: String(healthy[2]),
      read_unhealthy_partition_count: String(healthy[3])
    }
  }
}

function time (second) {
  const t = new Date(second * 1000)
  const two = (n) => String(n).padStart(2, '0')
  return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ` +
    `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}.000`
}

async function tables (db) {
  const [lines] = await db.execute(
    `SELECT a.app_id, a.status, a.app_name, a.app_type, a.partition_count,
     a.max_replica_count, a.is_stateful, a.create_second,
     (SELECT COUNT(*) FROM pegasus_app_env e WHERE e.app_id = a.app_id) AS envs
     FROM pegasus_app a WHERE a.status = 'AVAILABLE' ORDER BY a.app_id`)
  const [groups] = await db.execute(
    `SELECT a.app_id, p.primary_node IS NOT NULL AS has_primary, p.members,
     p.max_replica_count, COUNT(*) AS n FROM pegasus_app a
     JOIN pegasus_partition p ON p.app_id = a.app_id
     WHERE a.status = 'AVAILABLE' GROUP BY a.app_id, has_primary, p.members,
     p.max_replica_count ORDER BY a.app_id`)
  const counts = new Map(lines.map((a) => [a.app_id, [0, 0, 0, 0]]))
  for (const g of groups) {
    const [all, write, read] =
      judge(g.has_primary !== 0, g.members, g.max_replica_count)
    const h = counts.get(g.app_id)
    h[all ? 0 : 1] += g.n
    if (!write) h[2] += g.n
    if (!read) h[3] += g.n
  }
  const general = {}
  const healthy = {}
  const sum = [0, 0, 0, 0]
  for (const a of lines) {
    const id = String(a.app_id)
    const h = counts.get(a.app_id)
    sum[h[1] === 0 ? 0 : 1]++
    if (h[2] > 0) sum[2]++
    if (h[3] > 0) sum[3]++
    general[id] = {
      app_id: id,
      status: a.status,
      app_name: a.app_name,
      app_type: a.app_type,
      partition_count: String(a.partition_count),
      replica_count: String(a.max_replica_count),
      is_stateful: String(a.is_stateful !== 0),
      create_time: time(a.create_second),
      drop_time: '-',
      drop_expire: '-',
      envs_count: String(a.envs)
    }
    healthy[id] = {
      app_id: id,
      app_name: a.app_name,
      partition_count: String(a.partition_count),
      fully_healthy: String(h[0]),
      unhealthy: String(h[1]),
      write_unhealthy: String(h[2]),
      read_unhealthy: String(h[3])
    }
  }
  return {
    general_info: general,
    healthy_info: healthy,
    summary: {
      total_app_count: String(lines.length),
      fully_healthy_app_count: String(sum[0]),
      unhealthy_app_count: String(sum[1]),
      write_unhealthy_app_count: String(sum[2]),
      read_unhealthy_app_count: String(sum[3])
    }
  }
}
