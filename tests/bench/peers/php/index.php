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
    $rows = query('SELECT c.seq, ' . COLUMNS . ' WHERE c.instance_id = ?
        AND c.cluster_id = ? ORDER BY n.ord', [$instance, $cluster])
        ->fetchAll(PDO::FETCH_ASSOC);
    $seq = $rows[0]['seq'];
    $c = clusters($rows)[0];
    $before = json_encode($c);
    foreach ($in['cluster']['nodes'] as $i => $n) {
        query('INSERT INTO doris_cloud_id (cloud_unique_id, instance_id)
            VALUES (?, ?)', [$n['cloud_unique_id'], $instance]);
        query('INSERT INTO doris_node (instance_id, seq, ord, kind, addr, port,
            cloud_unique_id, ip, ctime, mtime, status, heartbeat_port, host)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
            [$instance, $seq, $version << 12 | $i, $c['type'],
            $n['host'], $n['heartbeat_port'], $n['cloud_unique_id'], $n['ip'],
            $now, $now, 'NODE_STATUS_RUNNING', $n['heartbeat_port'],
            $n['host']]);
        $c['nodes'][] = $n + ['ctime' => (string)$now, 'mtime' => (string)$now,
            'status' => 'NODE_STATUS_RUNNING'];
    }
    $c['mtime'] = (string)$now;
    query('UPDATE doris_cluster SET mtime = ?
        WHERE instance_id = ? AND seq = ?', [$now, $instance, $seq]);
    query('INSERT INTO audit (request_id, token_name, listener, operation,
        target, request_json, before_json, after_json, at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ['php-' . bin2hex(random_bytes(12)), 'admin', 'php', 'add_node',
        "$instance/$cluster", $raw, $before, json_encode($c),
        (int)(microtime(true) * 1000)]);
    $db->commit();
}

// Whether all is well, whether writes and reads go on.
function judge($primary, $members, $most)
{
    $least = $most <= 2 ? 1 : 2;
    return [$primary && $members >= $most, $primary && $members >= $least,
        $primary];
}

function table($name)
{
    $g = query('SELECT a.app_name, a.app_id, a.partition_count,
        p.max_replica_count FROM pegasus_app a JOIN pegasus_partition p
        ON p.app_id = a.app_id AND p.pidx = 0 WHERE a.live_name = ?', [$name])
        ->fetch(PDO::FETCH_ASSOC);
    $replicas = $nodes = [];
    $total = ['primary' => 0, 'secondary' => 0];
    $healthy = [0, 0, 0, 0];
    foreach (query('SELECT pidx, ballot, primary_node, secondaries, members,
        max_replica_count FROM pegasus_partition WHERE app_id = ?
        ORDER BY pidx', [$g['app_id']]) as $r) {
        $primary = $r['primary_node'];
        if ($primary !== null) {
            $nodes[$primary]['primary'] = ($nodes[$primary]['primary'] ?? 0) + 1;
            $total['primary']++;
        }
        if ($r['secondaries'] !== '') {
            foreach (explode(',', $r['secondaries']) as $n) {
                $nodes[$n]['secondary'] = ($nodes[$n]['secondary'] ?? 0) + 1;
                $total['secondary']++;
            }
        }
        [$all, $write, $read] =
            judge($primary !== null, $r['members'], $r['max_replica_count']);
        $healthy[$all ? 0 : 1]++;
        $healthy[2] += $write ? 0 : 1;
        $healthy[3] += $read ? 0 : 1;
        $replicas[$r['pidx']] = [
            'pidx' => (string)$r['pidx'],
            'ballot' => (string)$r['ballot'],
            'replica_count' => "$r[members]/$r[max_replica_count]",
            'primary' => $primary ?? '-',
            'secondaries' => "[$r[secondaries]]",
        ];
    }
    $nodes['total'] = $total;
    $holders = [];
    foreach ($nodes as $name => $n) {
        $p = $n['primary'] ?? 0;
        $s = $n['secondary'] ?? 0;
        $holders[$name] = ['node' => $name, 'primary' => (string)$p,
            'secondary' => (string)$s, 'total' => (string)($p + $s)];
    }
    return [
        'general' => array_map('strval', $g),
        'replicas' => (object)$replicas,
        'nodes' => $holders,
        'healthy' => [
            'fully_healthy_partition_count' => (string)$healthy[0],
            'unhealthy_partition_count' => (string)$healthy[1],
            'write_unhealthy_partition_count' => (string)$healthy[2],
            'read_unhealthy_partition_count' => (string)$healthy[3],
        ],
    ];
}

function tables()
{
    date_default_timezone_set($_SERVER['BENCH_TZ']);
    $general = $healthy = [];
    foreach (query("SELECT a.app_id, a.status, a.app_name, a.app_type,
        a.partition_count, a.max_replica_count, a.is_stateful,
        a.create_second, (SELECT COUNT(*) FROM pegasus_app_env e
        WHERE e.app_id = a.app_id) AS envs FROM pegasus_app a
        WHERE a.status = 'AVAILABLE' ORDER BY a.app_id", []) as $a) {
        $id = $a['app_id'];
        $general[$id] = [
            'app_id' => (string)$id,
            'status' => $a['status'],
            'app_name' => $a['app_name'],
            'app_type' => $a['app_type'],
            'partition_count' => (string)$a['partition_count'],
            'replica_count' => (string)$a['max_replica_count'],
            'is_stateful' => $a['is_stateful'] ? 'true' : 'false',
            'create_time' => date('Y-m-d H:i:s', (int)$a['create_second'])
                . '.000',
            'drop_time' => '-',
            'drop_expire' => '-',
            'envs_count' => (string)$a['envs'],
        ];
        $healthy[$id] = [0, 0, 0, 0];
    }
    foreach (query("SELECT a.app_id, p.primary_node IS NOT NULL AS has_primary,
        p.members, p.max_replica_count, COUNT(*) AS n FROM pegasus_app a
        JOIN pegasus_partition p ON p.app_id = a.app_id
        WHERE a.status = 'AVAILABLE' GROUP BY a.app_id, has_primary,
        p.members, p.max_replica_count ORDER BY a.app_id", []) as $g) {
        [$all, $write, $read] = judge((bool)$g['has_primary'], $g['members'],
            $g['max_replica_count']);
        $h = &$healthy[$g['app_id']];
        $h[$all ? 0 : 1] += $g['n'];
        $h[2] += $write ? 0 : $g['n'];
        $h[3] += $read ? 0 : $g['n'];
        unset($h);
    }
    $lines = [];
    $sum = [0, 0, 0, 0];
    foreach ($healthy as $id => $h) {
        $sum[$h[1] === 0 ? 0 : 1]++;
        $sum[2] += $h[2] > 0 ? 1 : 0;
        $sum[3] += $h[3] > 0 ? 1 : 0;
        $lines[$id] = [
            'app_id' => (string)$id,
            'app_name' => $general[$id]['app_name'],
            'partition_count' => $general[$id]['partition_count'],
            'fully_healthy' => (string)$h[0],
            'unhealthy' => (string)$h[1],
            'write_unhealthy' => (string)$h[2],
            'read_unhealthy' => (string)$h[3],
        ];
    }
    return [
        'general_info' => (object)$general,
        'healthy_info' => (object)$lines,
        'summary' => [
            'total_app_count' => (string)count($general),
            'fully_healthy_app_count' => (string)$sum[0],
            'unhealthy_app_count' => (string)$sum[1],
            'write_unhealthy_app_count' => (string)$sum[2],
            'read_unhealthy_app_count' => (string)$sum[3],
        ],
    ];
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
case '/meta/app':
    exit(json_encode(table($_GET['name']), JSON_UNESCAPED_SLASHES));
case '/meta/apps':
    exit(json_encode(tables(), JSON_UNESCAPED_SLASHES));
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
