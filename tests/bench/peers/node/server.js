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
  const [[found]] = await connection.execute(
    `SELECT seq, type FROM doris_cluster
     WHERE instance_id = ? AND cluster_id = ?`, [instance, cluster.cluster_id])
  for (const [i, n] of cluster.nodes.entries()) {
    await connection.execute(
      'INSERT INTO doris_cloud_id (cloud_unique_id, instance_id) VALUES (?, ?)',
      [n.cloud_unique_id, instance])
    await connection.execute(
      `INSERT INTO doris_node (instance_id, seq, ord, kind, addr, port,
       cloud_unique_id, ip, ctime, mtime, status, heartbeat_port, host)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [instance, found.seq, bumped.insertId * 4096 + i, found.type, n.host,
        n.heartbeat_port, n.cloud_unique_id, n.ip, now, now,
        'NODE_STATUS_RUNNING', n.heartbeat_port, n.host])
  }
  await connection.execute(
    'UPDATE doris_cluster SET mtime = ? WHERE instance_id = ? AND seq = ?',
    [now, instance, found.seq])
  await connection.execute(
    `INSERT INTO audit (request_id, token_name, listener, operation, target,
     request_json, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ['node-' + randomBytes(12).toString('hex'), 'admin', 'node', 'add_node',
      `${instance}/${cluster.cluster_id}`, JSON.stringify(input), Date.now()])
}
