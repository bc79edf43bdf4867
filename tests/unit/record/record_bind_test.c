/* What binding takes and refuses. */
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "sketches.h"

enum {
    DORIS = BIND_STR_FROM_NUM | BIND_INT_FROM_STR | BIND_INTEGRAL | BIND_CAMEL |
            BIND_UNKNOWN_ENUM_UNSET | BIND_NULL_UNSET,
};

static struct bind_error why;

static enum err
bind(const struct record *rec, const char *text, unsigned style, void *out)
{
    const struct json *j = NULL;
    struct json_error json_why;

    if (json_parse(arena, text, strlen(text), JSON_STRICT, &j, &json_why) !=
        ERR_OK)
        fail_msg("%s: %s", text, json_why.reason);
    memset(out, 0xaa, rec->size); /* record_bind zeroes it */
    return record_bind(arena, rec, j, style, out, &why);
}

static void
bound(const struct record *rec, const char *text, unsigned style, void *out)
{
    if (bind(rec, text, style, out) != ERR_OK)
        fail_msg("%s: %s %s", text, why.field, why.reason);
}

static void
refused(const struct record *rec, const char *text, unsigned style,
        const char *field, const char *reason)
{
    void *out = arena_alloc(arena, rec->size);

    assert_int_equal(bind(rec, text, style, out), ERR_BAD_PARAM);
    assert_string_equal(why.field, field);
    assert_string_equal(why.reason, reason);
}

static void
objects_in_objects_in_lists_are_bound(void **state)
{
    struct create_instance in;

    (void)state;
    bound(&create_instance_rec,
          "{\"instance_id\":\"i1\",\"sse_enabled\":false,\"vault\":"
          "{\"hdfs_info\":{\"prefix\":\"\",\"build_conf\":{\"hdfs_confs\":"
          "[{\"key\":\"a\",\"value\":\"b\"},{\"key\":\"c\"}]}}}}",
          0, &in);
    assert_string_equal(in.instance_id, "i1");
    assert_true(HAS(&in, create_instance, sse_enabled));
    assert_false(in.sse_enabled);
    assert_false(HAS(&in, create_instance, name));
    assert_null(in.name);
    assert_null(in.obj_info);
    assert_true(HAS(&in, create_instance, vault));
    assert_string_equal(in.vault->hdfs_info->prefix, "");
    assert_int_equal(in.vault->hdfs_info->build_conf->hdfs_confs.n, 2);
    assert_string_equal(in.vault->hdfs_info->build_conf->hdfs_confs.v[1].key,
                        "c");
    assert_null(in.vault->hdfs_info->build_conf->hdfs_confs.v[1].value);
}

static void
nothing_is_bound_from_no_body(void **state)
{
    struct create_instance in;

    (void)state;
    memset(&in, 0xaa, sizeof(in));
    assert_int_equal(
        record_bind(arena, &create_instance_rec, NULL, 0, &in, &why), ERR_OK);
    assert_true(in.has == 0 && in.instance_id == NULL && in.vault == NULL);
}

static void
a_wrong_shape_is_refused_by_its_path(void **state)
{
    (void)state;
    refused(&create_instance_rec, "[]", 0, "", "must be an object");
    refused(&create_instance_rec, "\"x\"", 0, "", "must be an object");
    refused(&create_instance_rec, "{\"vault\":[]}", 0, "vault",
            "must be an object");
    refused(&create_instance_rec,
            "{\"vault\":{\"hdfs_info\":{\"build_conf\":{\"hdfs_confs\":"
            "[{},{\"key\":[]}]}}}}",
            0, "vault.hdfs_info.build_conf.hdfs_confs[1].key",
            "must be a string");
    refused(&cluster_rec, "{\"nodes\":{}}", 0, "nodes", "must be a list");
    refused(&cluster_rec, "{\"nodes\":[1]}", 0, "nodes[0]",
            "must be an object");
    refused(&obj_info_rec, "{\"sse_enabled\":\"true\"}", 0, "sse_enabled",
            "must be true or false");
    refused(&obj_info_rec, "{\"sse_enabled\":1}", 0, "sse_enabled",
            "must be true or false");
    refused(&sink_config_rec, "{\"properties\":[]}", 0, "properties",
            "must be an object");
    refused(&sink_config_rec, "{\"ratio\":\"x\"}", DORIS, "ratio",
            "must be a number");
}

static void
a_long_path_is_cut(void **state)
{
    (void)state;
    refused(&sink_config_rec,
            "{\"table_operations\":{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "aaaaaaaaaaaa\":{\"ts\":\"\"}}}",
            0,
            "table_operations.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "must be an integer that is not negative");
    refused(&sink_config_rec, "{\"table_operations\":{\"<b>\":{\"ts\":\"\"}}}",
            0, "table_operations.?.ts",
            "must be an integer that is not negative");
}

static void
numbers_and_strings_change_places_by_style_only(void **state)
{
    struct create_instance in;
    struct node n;

    (void)state;
    refused(&create_instance_rec, "{\"instance_id\":113974}", 0, "instance_id",
            "must be a string");
    bound(&create_instance_rec, "{\"instance_id\":113974}", DORIS, &in);
    assert_string_equal(in.instance_id, "113974");
    refused(&create_instance_rec, "{\"instance_id\":true}", DORIS,
            "instance_id", "must be a string");
    refused(&node_rec, "{\"heartbeat_port\":\"9050\"}", 0, "heartbeat_port",
            "must be an integer");
    bound(&node_rec, "{\"heartbeat_port\":\"9050\"}", DORIS, &n);
    assert_int_equal(n.heartbeat_port, 9050);
    refused(&node_rec, "{\"heartbeat_port\":9050.0}", 0, "heartbeat_port",
            "must be an integer");
    bound(&node_rec, "{\"heartbeat_port\":9.05e3}", DORIS, &n);
    assert_int_equal(n.heartbeat_port, 9050);
    refused(&node_rec, "{\"heartbeat_port\":\"\"}", DORIS, "heartbeat_port",
            "must be an integer");
}

static void
one_field_may_take_both(void **state)
{
    struct create_cluster in;

    (void)state;
    bound(&create_cluster_rec, "{\"shards\":\"2\"}", 0, &in);
    assert_int_equal(in.shards, 2);
    bound(&create_cluster_rec, "{\"shards\":2}", 0, &in);
    assert_int_equal(in.shards, 2);
    refused(&create_cluster_rec, "{\"ha_mode\":2}", 0, "ha_mode",
            "must be a string");
}

static void
integers_out_of_range_are_refused(void **state)
{
    (void)state;
    refused(&node_rec, "{\"heartbeat_port\":0}", 0, "heartbeat_port",
            "must be between 1 and 65535");
    refused(&node_rec, "{\"heartbeat_port\":65536}", 0, "heartbeat_port",
            "must be between 1 and 65535");
    refused(&node_rec, "{\"heartbeat_port\":99999999999999999999}", 0,
            "heartbeat_port", "must be between 1 and 65535");
    refused(&create_cluster_rec, "{\"shards\":2147483648}", 0, "shards",
            "is out of range");
    refused(&create_cluster_rec, "{\"shards\":1e999999}", BIND_INTEGRAL,
            "shards", "is out of range");
    refused(&create_cluster_rec, "{\"shards\":1e999999}", 0, "shards",
            "must be an integer");
    refused(&sink_config_rec, "{\"ignore_txn_start_ts\":[1,-1]}", 0,
            "ignore_txn_start_ts[1]", "is out of range");
    refused(&sink_config_rec, "{\"ratio\":1e999}", 0, "ratio",
            "is out of range");
}

static void
unsigned_64_bit_digits_survive(void **state)
{
    struct sink_config in;

    (void)state;
    bound(&sink_config_rec,
          "{\"ignore_txn_start_ts\":[18446744073709551615,0],\"ratio\":-1.5e2}",
          0, &in);
    assert_int_equal(in.ignored.n, 2);
    assert_true(in.ignored.v[0].v == UINT64_MAX);
    assert_true(in.ratio == -150.0);
}

static void
sizes_are_bounded_by_the_row(void **state)
{
    (void)state;
    refused(&create_instance_rec,
            "{\"instance_id\":\"01234567890123456789012345678901234567890123456"
            "789012345678901234\"}",
            0, "instance_id", "is too long");
    refused(&cluster_rec, "{\"nodes\":[{},{},{},{}]}", 0, "nodes",
            "has too many elements");
    refused(&sink_config_rec,
            "{\"properties\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}}", 0,
            "properties", "has too many elements");
    refused(&obj_info_rec, "{\"blob\":\"MDEyMzQ1Njc4\"}", 0, "blob",
            "is too long");
}

static void
null_is_absent_or_a_wrong_type_by_style(void **state)
{
    struct create_instance in;

    (void)state;
    bound(&create_instance_rec,
          "{\"name\":null,\"vault\":null,\"sse_enabled\":null}", DORIS, &in);
    assert_true(in.has == 0);
    refused(&create_instance_rec, "{\"name\":null}", 0, "name",
            "must be a string");
    refused(&create_instance_rec, "{\"vault\":null}", 0, "vault",
            "must be an object");
    refused(&cluster_rec, "{\"nodes\":[null]}", DORIS, "nodes[0]",
            "must not be null");
    refused(&sink_config_rec, "{\"properties\":{\"a\":null}}", DORIS,
            "properties.a", "must not be null");
}

static void
an_empty_text_is_absent_where_a_field_says_so(void **state)
{
    struct recall in;

    (void)state;
    bound(&recall_rec, "{\"app_id\":\"\",\"keys\":\"\"}", 0, &in);
    assert_true(in.has == 0);
    refused(&recall_rec, "{\"app_id\":\" \"}", BIND_INT_FROM_STR, "app_id",
            "must be an integer");
    refused(&recall_rec, "{\"keys\":\"x\"}", 0, "keys", "must be a list");
    refused(&recall_rec, "{\"seconds\":\"\"}", BIND_INT_FROM_STR, "seconds",
            "must be an integer");
}

static void
enums_are_bound_from_name_or_number(void **state)
{
    struct obj_info in;
    struct cluster c;

    (void)state;
    bound(&obj_info_rec, "{\"provider\":\"COS\"}", 0, &in);
    assert_int_equal(in.provider, 2);
    bound(&obj_info_rec, "{\"provider\":-1}", 0, &in);
    assert_int_equal(in.provider, -1);
    bound(&obj_info_rec, "{\"provider\":\"1\"}", 0, &in);
    assert_int_equal(in.provider, 1);
    bound(&cluster_rec, "{\"type\":\"compute\"}", 0, &c);
    assert_int_equal(c.type, 1);
    refused(&obj_info_rec, "{\"provider\":\"cos\"}", 0, "provider",
            "must be one of the documented names");
    refused(&obj_info_rec, "{\"provider\":77}", 0, "provider",
            "must be one of the documented names");
    refused(&obj_info_rec, "{\"provider\":true}", DORIS, "provider",
            "must be one of the documented names");
    bound(&obj_info_rec, "{\"provider\":\"nope\"}", DORIS, &in);
    assert_false(HAS(&in, obj_info, provider));
}

static void
camel_case_names_are_taken_by_style(void **state)
{
    struct create_instance in;

    (void)state;
    bound(&create_instance_rec, "{\"instanceId\":\"i\",\"sseEnabled\":true}",
          DORIS, &in);
    assert_string_equal(in.instance_id, "i");
    assert_true(in.sse_enabled);
    bound(&create_instance_rec, "{\"instanceId\":\"i\",\"instanceID\":\"j\"}",
          0, &in);
    assert_true(in.has == 0);
    refused(&create_instance_rec,
            "{\"instance_id\":\"a\",\"instanceId\":\"b\"}", DORIS, "instanceId",
            "is given twice");
}

static void
unknown_members_are_ignored_or_refused_by_style(void **state)
{
    struct meta_numbered in;
    struct feed feed;

    (void)state;
    bound(&meta_numbered_rec, "{\"nope\":[1,{}],\"result\":\"x\"}", 0, &in);
    assert_string_equal(in.result, "x");
    refused(&meta_numbered_rec, "{\"nope\":1}", BIND_UNKNOWN_REFUSED, "nope",
            "is not known");
    bound(&meta_numbered_rec, "{\"meta0\":{}}", BIND_UNKNOWN_REFUSED, &in);
    refused(&meta_numbered_rec, "{\"meta0\":{\"x\":1}}", BIND_UNKNOWN_REFUSED,
            "meta0.x", "is not known");
    refused(&create_cluster_paras_rec, "{\"paras\":{\"x\":1}}",
            BIND_UNKNOWN_REFUSED, "paras.x", "is not known");
    refused(&create_cluster_paras_rec, "{\"paras\":{},\"shards\":1}",
            BIND_UNKNOWN_REFUSED, "shards", "is not known");
    bound(&feed_rec, "{\"id\":\"f\",\"delimiter\":\",\"}", BIND_UNKNOWN_REFUSED,
          &feed);
    refused(&feed_rec, "{\"id\":\"f\",\"x\":1}", BIND_UNKNOWN_REFUSED, "x",
            "is not known");
}

static void
only_input_fields_are_taken_from_a_body(void **state)
{
    struct node n;
    struct instance_ref ref;

    (void)state;
    bound(&node_rec, "{\"ctime\":5}", 0, &n);
    assert_true(n.has == 0);
    bound(&instance_ref_rec,
          "{\"instance_id\":\"i\",\"cloud_unique_id\":\"c\"}", 0, &ref);
    assert_string_equal(ref.instance_id, "i");
    assert_null(ref.cloud_unique_id);
}

static void
bytes_are_decoded_from_either_alphabet(void **state)
{
    static const char *const good[] = { "", "Zg==", "Zg", "Zm8=", "Zm9v" };
    struct obj_info in;
    char text[64];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        size_t want = i < 2 ? i : i - 1;

        (void)snprintf(text, sizeof(text), "{\"blob\":\"%s\"}", good[i]);
        bound(&obj_info_rec, text, 0, &in);
        assert_int_equal(in.blob.n, want);
        assert_memory_equal(in.blob.p, "foo", want);
    }
    bound(&obj_info_rec, "{\"blob\":\"-_-_\"}", 0, &in);
    assert_memory_equal(in.blob.p, "\xfb\xff\xbf", 3);
    refused(&obj_info_rec, "{\"blob\":\"A\"}", 0, "blob", "must be base64");
    refused(&obj_info_rec, "{\"blob\":\"Zm 9v\"}", 0, "blob", "must be base64");
    refused(&obj_info_rec, "{\"blob\":\"=\"}", 0, "blob", "must be base64");
    refused(&obj_info_rec, "{\"blob\":\"Zg=\"}", 0, "blob", "must be base64");
    refused(&obj_info_rec, "{\"blob\":\"Z===\"}", 0, "blob", "must be base64");
}

static void
nested_members_lie_in_their_object(void **state)
{
    struct create_cluster in;

    (void)state;
    bound(&create_cluster_paras_rec,
          "{\"ha_mode\":\"outside\",\"paras\":{\"ha_mode\":\"mgr\",\"shards\":"
          "\"3\",\"storage_iplists\":[\"h1\",\"h2\"]}}",
          0, &in);
    assert_string_equal(in.ha_mode, "mgr");
    assert_int_equal(in.shards, 3);
    assert_int_equal(in.storage_hosts.n, 2);
    assert_string_equal(in.storage_hosts.v[1].v, "h2");
    refused(&create_cluster_paras_rec, "{\"paras\":[]}", 0, "paras",
            "must be an object");
    refused(&create_cluster_paras_rec, "{\"paras\":{\"shards\":\"x\"}}", 0,
            "paras.shards", "must be an integer");
    bound(&create_cluster_paras_rec, "{}", 0, &in);
    assert_true(in.has == 0);
}

static void
a_second_name_is_the_same_field(void **state)
{
    struct create_cluster in;

    (void)state;
    bound(&create_cluster_paras_rec, "{\"paras\":{\"shard_num\":4}}", 0, &in);
    assert_int_equal(in.shards, 4);
    refused(&create_cluster_paras_rec,
            "{\"paras\":{\"shard_num\":4,\"shards\":4}}", 0, "paras.shards",
            "is given twice");
}

static void
numbered_members_make_a_list(void **state)
{
    struct meta_numbered in;
    struct path_space space;

    (void)state;
    bound(&meta_numbered_rec,
          "{\"meta1\":{\"port\":\"1\"},\"meta0\":{\"port\":\"0\"},"
          "\"meta02\":{},\"meta3\":{},\"meta\":{},\"meta2x\":{}}",
          0, &in);
    assert_int_equal(in.metas.n, 2); /* a gap ends it */
    assert_string_equal(in.metas.v[0].port, "0");
    assert_string_equal(in.metas.v[1].port, "1");
    refused(&meta_numbered_rec, "{\"meta0\":{},\"meta1\":{\"port\":1}}", 0,
            "meta1.port", "must be a string");
    refused(&meta_numbered_rec, "{\"meta0\":7}", 0, "meta0",
            "must be an object");
    bound(&meta_numbered_rec, "{\"meta1\":{},\"meta99999999999\":{}}", 0, &in);
    assert_int_equal(in.metas.n, 0);
    bound(&meta_numbered_rec,
          "{\"meta0\":{},\"meta1\":{},\"meta2\":{\"port\":\"2\"}}", 0, &in);
    assert_int_equal(in.metas.n, 3);
    assert_string_equal(in.metas.v[2].port, "2");
    bound(&path_space_rec, "{\"paths0\":[\"/a\",\"/b\"],\"paths1\":[]}", 0,
          &space);
    assert_int_equal(space.paths.n, 2);
    assert_string_equal(space.paths.v[0].v.v[1].v, "/b");
    assert_int_equal(space.paths.v[1].v.n, 0);
}

static void
members_by_key_make_a_list(void **state)
{
    static const struct field keyed = {
        .key = "nodes",
        .key_bytes = 5,
        .off = offsetof(struct app, nodes),
        .type = F_LIST,
        .bit = app_has_nodes,
        .flags = IN,
        .more = &meta_node_rec,
        .keyed_by = "hostaddr",
    };
    static const struct record rec = { "keyed", sizeof(struct app), &keyed, 1 };
    struct app in;
    const struct meta_node *v;

    (void)state;
    bound(&rec,
          "{\"nodes\":{\"h1\":{\"port\":\"1\"},\"h2\":{\"hostaddr\":\"x\"}}}",
          0, &in);
    assert_int_equal(in.nodes.n, 2);
    v = (const struct meta_node *)(const void *)in.nodes.v;
    assert_string_equal(v[0].hostaddr, "h1");
    assert_string_equal(v[0].port, "1");
    assert_string_equal(v[1].hostaddr, "x"); /* what is inside wins */
    refused(&rec, "{\"nodes\":[]}", 0, "nodes", "must be an object");
}

static void
maps_keep_their_dynamic_keys(void **state)
{
    struct sink_config in;

    (void)state;
    bound(&sink_config_rec,
          "{\"properties\":{\"x y\":\"1\",\"\":\"2\"},\"table_operations\":"
          "{\"9\":{\"delete\":true,\"ts\":7}}}",
          0, &in);
    assert_int_equal(in.properties.n, 2);
    assert_string_equal(in.properties.v[0].key, "x y");
    assert_string_equal(in.properties.v[0].value.v, "1");
    assert_string_equal(in.properties.v[1].key, "");
    assert_string_equal(in.operations.v[0].key, "9");
    assert_true(in.operations.v[0].value.remove);
    assert_int_equal(in.operations.v[0].value.ts, 7);
}

static void
absent_empty_and_zero_are_told_apart(void **state)
{
    struct sink_config in;

    (void)state;
    bound(&sink_config_rec, "{\"dispatchers\":[],\"protocol\":\"\"}", 0, &in);
    assert_true(HAS(&in, sink_config, dispatchers));
    assert_int_equal(in.dispatchers.n, 0);
    assert_true(HAS(&in, sink_config, protocol));
    assert_string_equal(in.protocol, "");
    assert_false(HAS(&in, sink_config, atomicity));
    assert_null(in.csv);
}

static void
json_members_are_kept_as_sent(void **state)
{
    static const char text[] = "{ \"memo\" : {\"a\": [1.50, \"\\u0041\"]} }";
    struct sink_config in;

    (void)state;
    bound(&sink_config_rec, text, 0, &in);
    assert_int_equal(in.memo.n, strlen("{\"a\": [1.50, \"\\u0041\"]}"));
    assert_memory_equal(in.memo.p, "{\"a\": [1.50, \"\\u0041\"]}", in.memo.n);
    assert_int_equal(in.original.n, strlen(text));
    assert_memory_equal(in.original.p, text, in.original.n);
    bound(&sink_config_rec, "{\"memo\":null}", 0, &in);
    assert_memory_equal(in.memo.p, "null", 4);
}

static void
an_embedded_object_takes_members_of_its_host(void **state)
{
    struct feed in;

    (void)state;
    bound(&feed_rec,
          "{\"id\":\"f\",\"delimiter\":\";\",\"include-commit-ts\":true}", 0,
          &in);
    assert_string_equal(in.id, "f");
    assert_string_equal(in.csv->delimiter, ";");
    assert_true(in.csv->commit_ts);
    refused(&feed_rec, "{\"delimiter\":1}", 0, "delimiter", "must be a string");
}

static void
a_record_may_be_an_array(void **state)
{
    struct feeds in;

    (void)state;
    bound(&feeds_rec, "[{\"id\":\"a\"},{\"id\":\"b\"}]", 0, &in);
    assert_int_equal(in.v.n, 2);
    assert_string_equal(in.v.v[1].id, "b");
    refused(&feeds_rec, "[{\"id\":1}]", 0, "[0].id", "must be a string");
    refused(&feeds_rec, "{}", 0, "", "must be a list");
}

/* A message may print what was bound before the refusal. */
static void
a_refused_record_holds_whole_elements_only(void **state)
{
    struct sink_config in;

    (void)state;
    assert_int_equal(bind(&sink_config_rec,
                          "{\"protocol\":\"p\",\"properties\":{\"a\":\"1\","
                          "\"b\":2}}",
                          0, &in),
                     ERR_BAD_PARAM);
    assert_string_equal(in.protocol, "p");
    assert_int_equal(in.properties.n, 1);
    assert_string_equal(in.properties.v[0].key, "a");
}

static void
without_memory_binding_fails_cleanly(void **state)
{
    static const char text[] = "{\"nodes\":[{},{},{}]}";
    struct cluster in;
    const struct json *j;
    struct json_error json_why;
    struct arena *small = arena_new(32);

    (void)state;
    assert_int_equal(json_parse(arena, text, strlen(text), 0, &j, &json_why),
                     ERR_OK);
    assert_int_equal(record_bind(small, &cluster_rec, j, 0, &in, &why),
                     ERR_NOMEM);
    assert_int_equal(in.nodes.n, 0);
    arena_free(small);
}

/* ---- single texts ---- */

static const struct field *
field(const struct record *rec, const char *key)
{
    for (size_t i = 0; i < rec->n; i++) {
        if (strcmp(rec->fields[i].key, key) == 0)
            return &rec->fields[i];
    }
    fail_msg("no field %s", key);
    return NULL;
}

static enum err
bind_text(const struct record *rec, const char *key, const char *text,
          void *out)
{
    return record_bind_text(arena, field(rec, key), text, 0, out, &why);
}

static void
a_row_of_texts_fills_a_record(void **state)
{
    struct cluster c = { 0 };
    struct node n = { 0 };
    struct obj_info o = { 0 };
    struct sink_config s = { 0 };

    (void)state;
    assert_int_equal(bind_text(&cluster_rec, "cluster_id", "c1", &c), ERR_OK);
    assert_int_equal(bind_text(&cluster_rec, "type", "COMPUTE", &c), ERR_OK);
    assert_int_equal(bind_text(&node_rec, "ctime", "1700000000", &n), ERR_OK);
    assert_int_equal(bind_text(&obj_info_rec, "sse_enabled", "1", &o), ERR_OK);
    assert_int_equal(bind_text(&sink_config_rec, "ratio", "2.5", &s), ERR_OK);
    assert_string_equal(c.cluster_id, "c1");
    assert_int_equal(c.type, 1);
    assert_true(n.ctime == 1700000000 && HAS(&n, node, ctime));
    assert_true(o.sse_enabled && HAS(&o, obj_info, sse_enabled));
    assert_true(s.ratio == 2.5);
}

static void
a_column_of_json_fills_a_container(void **state)
{
    struct cluster c = { 0 };
    struct sink_config s = { 0 };

    (void)state;
    assert_int_equal(
        bind_text(&cluster_rec, "nodes", "[{\"cloud_unique_id\":\"u\"}]", &c),
        ERR_OK);
    assert_string_equal(c.nodes.v[0].cloud_unique_id, "u");
    assert_int_equal(bind_text(&sink_config_rec, "memo", " {\"a\":1} ", &s),
                     ERR_OK);
    assert_int_equal(s.memo.n, 7);
    assert_int_equal(
        bind_text(&sink_config_rec, "properties", "{\"k\":\"v\"}", &s), ERR_OK);
    assert_string_equal(s.properties.v[0].value.v, "v");
    assert_int_equal(bind_text(&cluster_rec, "nodes", "[{]", &c),
                     ERR_BAD_PARAM);
    assert_string_equal(why.reason, "must be JSON");
}

static void
texts_are_judged_like_values(void **state)
{
    struct node n = { 0 };
    struct create_instance ci = { 0 };
    struct instance i = { 0 };

    (void)state;
    assert_int_equal(bind_text(&node_rec, "heartbeat_port", "70000", &n),
                     ERR_BAD_PARAM);
    assert_string_equal(why.field, "heartbeat_port");
    assert_string_equal(why.reason, "must be between 1 and 65535");
    assert_int_equal(bind_text(&node_rec, "heartbeat_port", "", &n),
                     ERR_BAD_PARAM);
    assert_int_equal(bind_text(&create_instance_rec, "name", "a\xff", &ci),
                     ERR_BAD_PARAM);
    assert_string_equal(why.reason, "must be UTF-8");
    assert_int_equal(bind_text(&instance_rec, "clusters", "[]", &i),
                     ERR_BAD_PARAM);
    assert_true(n.has == 0 && ci.has == 0);
}

static void
a_flag_counts_when_it_is_there(void **state)
{
    struct app_ref ref = { 0 };

    (void)state;
    assert_int_equal(bind_text(&app_ref_rec, "detail", "", &ref), ERR_OK);
    assert_true(ref.detail && HAS(&ref, app_ref, detail));
    ref = (struct app_ref){ 0 };
    assert_int_equal(bind_text(&app_ref_rec, "detail", "false", &ref), ERR_OK);
    assert_true(ref.detail);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(objects_in_objects_in_lists_are_bound),
        T(nothing_is_bound_from_no_body),
        T(a_wrong_shape_is_refused_by_its_path),
        T(a_long_path_is_cut),
        T(numbers_and_strings_change_places_by_style_only),
        T(one_field_may_take_both),
        T(integers_out_of_range_are_refused),
        T(unsigned_64_bit_digits_survive),
        T(sizes_are_bounded_by_the_row),
        T(null_is_absent_or_a_wrong_type_by_style),
        T(an_empty_text_is_absent_where_a_field_says_so),
        T(enums_are_bound_from_name_or_number),
        T(camel_case_names_are_taken_by_style),
        T(unknown_members_are_ignored_or_refused_by_style),
        T(only_input_fields_are_taken_from_a_body),
        T(bytes_are_decoded_from_either_alphabet),
        T(nested_members_lie_in_their_object),
        T(a_second_name_is_the_same_field),
        T(numbered_members_make_a_list),
        T(members_by_key_make_a_list),
        T(maps_keep_their_dynamic_keys),
        T(absent_empty_and_zero_are_told_apart),
        T(json_members_are_kept_as_sent),
        T(an_embedded_object_takes_members_of_its_host),
        T(a_record_may_be_an_array),
        T(a_refused_record_holds_whole_elements_only),
        T(without_memory_binding_fails_cleanly),
        T(a_row_of_texts_fills_a_record),
        T(a_column_of_json_fills_a_container),
        T(texts_are_judged_like_values),
        T(a_flag_counts_when_it_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
