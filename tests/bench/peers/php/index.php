<?php
// The operations of the bench in PHP: PDO with persistent connections, behind
// nginx. BENCH_SOCKET, BENCH_USER, BENCH_PASSWORD and BENCH_TOKEN come from
// the front end.

header('Content-Type: application/json');

function answer($status, $code, $msg, $result = null)
{
    http_response_code($status);
    $reply = ['code' => $code, 'msg' => $msg];
    if ($result !== null) {
        $reply['result'] = $result;
    }
    echo json_encode($reply, JSON_UNESCAPED_SLASHES);
    exit;
}

if (($_SERVER['HTTP_X_METAGATE_TOKEN'] ?? '') !== $_SERVER['BENCH_TOKEN']) {
    answer(403, 'DENIED', 'bad token');
}
$db = new PDO(
    'mysql:dbname=bench_peers;unix_socket=' . $_SERVER['BENCH_SOCKET'],
    $_SERVER['BENCH_USER'],
    $_SERVER['BENCH_PASSWORD'],
    [PDO::ATTR_PERSISTENT => true]
);

function query($sql, $args)
{
    global $db;
    $statement = $db->prepare($sql);
    $statement->execute($args);
    return $statement;
}

const COLUMNS = 'c.cluster_id, c.cluster_name, c.type, c.cluster_status,
    c.ctime, c.mtime, n.cloud_unique_id, n.ip, n.ctime AS n_ctime,
    n.mtime AS n_mtime, n.status, n.heartbeat_port, n.host
    FROM doris_cluster c
    JOIN doris_node n ON n.instance_id = c.instance_id AND n.seq = c.seq';

// One row per node, the nodes of a cluster together.
function clusters($rows)
{
    $clusters = [];
    $last = null;
    foreach ($rows as $r) {
        if ($r['cluster_id'] !== $last) {
            $last = $r['cluster_id'];
            $clusters[] = [
                'cluster_id' => $last,
                'cluster_name' => $r['cluster_name'],
                'type' => $r['type'],
                'nodes' => [],
                'cluster_status' => $r['cluster_status'],
                'ctime' => (string)$r['ctime'],
                'mtime' => (string)$r['mtime'],
            ];
        }
        $node = [
            'cloud_unique_id' => $r['cloud_unique_id'],
            'ip' => $r['ip'],
            'ctime' => (string)$r['n_ctime'],
            'mtime' => (string)$r['n_mtime'],
            'heartbeat_port' => (int)$r['heartbeat_port'],
            'host' => $r['host'],
        ];
        if ($r['status'] !== null) {
            $node['status'] = $r['status'];
        }
        $clusters[count($clusters) - 1]['nodes'][] = $node;
    }
    return $clusters;
}

function add_node($in, $raw)
{
    global $db;
    $instance = $in['instance_id'];
    $cluster = $in['cluster']['cluster_id'];
    $now = time();
    // Persistent connections keep a session's settings.
    if (!query('SELECT @ready', [])->fetchColumn()) {
        $db->exec('SET sql_log_bin = 0, @ready = 1');
    }
    $db->beginTransaction();
    query("UPDATE doris_instance SET version = LAST_INSERT_ID(version + 1),
        mtime = ? WHERE instance_id = ? AND status <> 'DELETED'",
        [$now, $instance]);
    $version = (int)$db->lastInsertId();
    $found = query('SELECT seq, type FROM doris_cluster
        WHERE instance_id = ? AND cluster_id = ?', [$instance, $cluster])
        ->fetch(PDO::FETCH_ASSOC);
    foreach ($in['cluster']['nodes'] as $i => $n) {
        query('INSERT INTO doris_cloud_id (cloud_unique_id, instance_id)
            VALUES (?, ?)', [$n['cloud_unique_id'], $instance]);
        query('INSERT INTO doris_node (instance_id, seq, ord, kind, addr, port,
            cloud_unique_id, ip, ctime, mtime, status, heartbeat_port, host)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
            [$instance, $found['seq'], $version << 12 | $i, $found['type'],
            $n['host'], $n['heartbeat_port'], $n['cloud_unique_id'], $n['ip'],
            $now, $now, 'NODE_STATUS_RUNNING', $n['heartbeat_port'],
            $n['host']]);
    }
    query('UPDATE doris_cluster SET mtime = ?
        WHERE instance_id = ? AND seq = ?', [$now, $instance, $found['seq']]);
    query('INSERT INTO audit (request_id, token_name, listener, operation,
        target, request_json, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
        ['php-' . bin2hex(random_bytes(12)), 'admin', 'php', 'add_node',
        "$instance/$cluster", $raw, (int)(microtime(true) * 1000)]);
    $db->commit();
}

$raw = file_get_contents('php://input');
$in = json_decode($raw, true) ?? [];
switch ($_SERVER['DOCUMENT_URI']) {
case '/get_cluster':
    $found = clusters(query('SELECT ' . COLUMNS . ' WHERE c.instance_id =
        COALESCE((SELECT u.instance_id FROM doris_cloud_id u
        WHERE u.cloud_unique_id = ?), ?) AND c.cluster_id = ? ORDER BY n.ord',
        [$in['cloud_unique_id'], $in['instance_id'] ?? null,
        $in['cluster_id']])->fetchAll(PDO::FETCH_ASSOC));
    $found ? answer(200, 'OK', '', $found[0])
           : answer(500, 'ERROR', 'no such cluster');
case '/add_node':
    try {
        add_node($in, $raw);
    } catch (PDOException $e) {
        if ($db->inTransaction()) {
            $db->rollBack();
        }
        answer(500, 'ERROR', $e->getMessage());
    }
    answer(200, 'OK', '');
case '/get_instance':
    $i = query('SELECT user_id, instance_id, name, ctime, mtime, status,
        sse_enabled, enable_storage_vault FROM doris_instance
        WHERE instance_id = ?', [$in['instance_id']])->fetch(PDO::FETCH_ASSOC);
    $rows = query('SELECT ' . COLUMNS . ' WHERE c.instance_id = ?
        ORDER BY c.seq, n.ord', [$in['instance_id']]);
    answer(200, 'OK', '', [
        'user_id' => $i['user_id'],
        'instance_id' => $i['instance_id'],
        'name' => $i['name'],
        'clusters' => clusters($rows->fetchAll(PDO::FETCH_ASSOC)),
        'ctime' => (string)$i['ctime'],
        'mtime' => (string)$i['mtime'],
        'status' => $i['status'],
        'sse_enabled' => (bool)$i['sse_enabled'],
        'enable_storage_vault' => (bool)$i['enable_storage_vault'],
    ]);
}
answer(404, 'NOT_FOUND', 'no such operation');
