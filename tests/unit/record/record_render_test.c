/* What rendering prints. */
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "sketches.h"

static const struct json_style compact = { 0 };
static const struct json_style doris = { .indent = 4, .i64_as_string = true };
static const struct json_style pegasus = { .all_leaves_string = true };

static struct buf out = BUF_INIT(1 << 20);

static enum err
render(const struct json_style *style, const struct record *rec, const void *in,
       enum secret_mode secrets, bool input)
{
    struct json_writer w;

    buf_reset(&out);
    jw_init(&w, &out, style);
    return record_render(&w, rec, in, secrets, input, arena);
}

static void
prints(const struct json_style *style, const struct record *rec, const void *in,
       const char *want)
{
    assert_int_equal(render(style, rec, in, SECRETS_FULL, false), ERR_OK);
    assert_string_equal(buf_text(&out), want);
}

/* A producer over an array of records. */
struct source {
    const char *at;
    size_t size, left;
    enum err end;
};

static enum err
next_of(struct rows *rows, struct arena *a, const void **row)
{
    struct source *s = rows->state;

    (void)a;
    if (s->left == 0)
        return s->end;
    *row = s->at;
    s->at += s->size;
    s->left--;
    return ERR_OK;
}

/* ---- the five dialects ---- */

static void
doris_prints_clusters_in_the_middle_of_an_instance(void **state)
{
    struct node nodes[] = {
        { .cloud_unique_id = "u1", .ctime = 1700000000, .has = 3 },
    };
    struct cluster clusters[] = {
        { .cluster_id = "c1", .type = 1, .has = 3, .nodes = { 1, nodes } },
        { .cluster_id = "c2", .has = 1 },
    };
    struct source source = { (const char *)clusters, sizeof(clusters[0]), 2,
                             ERR_NOT_FOUND };
    struct STR ids[] = { { .v = "1" } };
    struct instance in = { .instance_id = "i",
                           .mtime = INT64_MAX,
                           .clusters = { next_of, &source },
                           .resource_ids = { 1, ids } };

    (void)state;
    SET(&in, instance, instance_id);
    SET(&in, instance, mtime);
    SET(&in, instance, sse_enabled); /* false, but set: printed */
    prints(&doris, &instance_rec, &in,
           "{\n"
           "    \"instance_id\": \"i\",\n"
           "    \"mtime\": \"9223372036854775807\",\n"
           "    \"clusters\": [\n"
           "        {\n"
           "            \"cluster_id\": \"c1\",\n"
           "            \"type\": \"COMPUTE\",\n"
           "            \"nodes\": [\n"
           "                {\n"
           "                    \"cloud_unique_id\": \"u1\",\n"
           "                    \"ctime\": \"1700000000\"\n"
           "                }\n"
           "            ]\n"
           "        },\n"
           "        {\n"
           "            \"cluster_id\": \"c2\"\n"
           "        }\n"
           "    ],\n"
           "    \"resource_ids\": [\n"
           "        \"1\"\n"
           "    ],\n"
           "    \"sse_enabled\": false\n"
           "}");
}

static void
kunlun_prints_three_forms_of_one_struct(void **state)
{
    struct meta_node nodes[] = { { 3, "h1", "1" }, { 3, "h2", "2" } };
    struct meta_numbered in = { .result = "ok", .metas = { 2, nodes } };
    struct STR hosts[] = { { .v = "h" } };
    struct create_cluster cc = { .ha_mode = "mgr",
                                 .shards = 2,
                                 .storage_hosts = { 1, hosts } };
    struct STR dirs[] = { { .v = "/a" }, { .v = "/b" } };
    struct path_list lists[] = { { .v = { 2, dirs } }, { .v = { 0, NULL } } };
    struct path_space space = { .paths = { 2, lists } };

    (void)state;
    SET(&in, meta_numbered, result);
    prints(&compact, &meta_numbered_rec, &in,
           "{\"result\":\"ok\","
           "\"meta0\":{\"hostaddr\":\"h1\",\"port\":\"1\"},"
           "\"meta1\":{\"hostaddr\":\"h2\",\"port\":\"2\"}}");
    prints(&compact, &meta_array_rec, &in,
           "{\"result\":\"ok\",\"metas\":["
           "{\"hostaddr\":\"h1\",\"port\":\"1\"},"
           "{\"hostaddr\":\"h2\",\"port\":\"2\"}]}");
    SET(&cc, create_cluster, ha_mode);
    SET(&cc, create_cluster, shards);
    assert_int_equal(
        render(&compact, &create_cluster_paras_rec, &cc, SECRETS_FULL, true),
        ERR_OK);
    assert_string_equal(buf_text(&out),
                        "{\"paras\":{\"ha_mode\":\"mgr\",\"shards\":2,"
                        "\"storage_iplists\":[\"h\"]}}");
    prints(&compact, &path_space_rec, &space,
           "{\"paths0\":[\"/a\",\"/b\"],\"paths1\":[]}");
}

static void
pegasus_prints_strings_and_objects_by_key(void **state)
{
    struct replica_row rows[] = {
        { .pidx = 0, .ballot = 3, .primary = "n1", .has = 7 },
        { .pidx = 1, .ballot = -1, .has = 3 },
    };
    struct source source = { (const char *)rows, sizeof(rows[0]), 2,
                             ERR_NOT_FOUND };
    struct STR names[] = { { .v = "n\"1" }, { .v = "n2" } };
    struct app_general general = {
        .app_name = "temp", .app_id = 2, .nodes = { 2, names }, .has = 3
    };
    struct node_row nodes[] = { { .node = "n1", .total = 2, .has = 3 } };
    struct app in = { .general = &general,
                      .replicas = { next_of, &source },
                      .nodes = { 1, nodes },
                      .rate = 0.5 };

    (void)state;
    SET(&in, app, rate);
    prints(&pegasus, &app_rec, &in,
           "{\"general\":{\"app_name\":\"temp\",\"app_id\":\"2\","
           "\"nodes\":\"[n\\\"1,n2]\"},"
           "\"replicas\":{"
           "\"0\":{\"pidx\":\"0\",\"ballot\":\"3\",\"primary\":\"n1\"},"
           "\"1\":{\"pidx\":\"1\",\"ballot\":\"-1\",\"primary\":\"\"}},"
           "\"nodes\":{\"n1\":{\"node\":\"n1\",\"total\":\"2\"}},"
           "\"rate\":\"0.50\"}");
}

static void
ticdc_prints_what_it_was_given(void **state)
{
    static const char text[] =
        "{\"dispatchers\":[{\"matcher\":[\"a.*\",\"b\"],\"partition\":\"ts\"}]"
        ",\"protocol\":\"\",\"file-index-digit\":6,\"csv\":{\"include-commit-"
        "ts\":false},\"ignore_txn_start_ts\":[18446744073709551615],"
        "\"properties\":{\"k\\\"\":\"v\"},\"table_operations\":{\"7\":{"
        "\"delete\":true,\"ts\":1}},\"memo\":{\"x\": 1.0},\"ratio\":0.25}";
    struct sink_config in;
    const struct json *j;
    struct json_error json_why;
    struct bind_error why;

    (void)state;
    assert_int_equal(json_parse(arena, text, strlen(text), 0, &j, &json_why),
                     ERR_OK);
    assert_int_equal(record_bind(arena, &sink_config_rec, j, 0, &in, &why),
                     ERR_OK);
    assert_int_equal(
        render(&compact, &sink_config_rec, &in, SECRETS_FULL, true), ERR_OK);
    assert_string_equal(buf_text(&out), text);
}

static void
a_reply_may_be_an_array(void **state)
{
    struct csv csv = { .delimiter = ";", .has = 1 };
    struct feed feeds[] = { { .id = "a", .has = 1, .csv = &csv },
                            { .id = "b", .has = 1 } };
    struct feeds in = { .v = { 2, feeds } };
    struct source source = { (const char *)feeds, sizeof(feeds[0]), 2,
                             ERR_NOT_FOUND };
    struct feed_stream stream = { .v = { next_of, &source } };

    (void)state;
    prints(&compact, &feeds_rec, &in,
           "[{\"id\":\"a\",\"delimiter\":\";\"},{\"id\":\"b\"}]");
    prints(&compact, &feed_stream_rec, &stream,
           "[{\"id\":\"a\",\"delimiter\":\";\"},{\"id\":\"b\"}]");
    in.v.n = 0;
    prints(&compact, &feeds_rec, &in, "[]");
    prints(&compact, &feed_stream_rec, &stream, "[]"); /* used up */
    prints(&doris, &feeds_rec, &in, "[]");
}

/* ---- absent ---- */

static void
absent_members_follow_their_flags(void **state)
{
    struct app in = { 0 };
    struct source none = { NULL, 0, 0, ERR_NOT_FOUND };
    struct sink_config sink = { 0 };
    struct instance instance = { .clusters = { next_of, &none } };

    (void)state;
    prints(&compact, &sink_config_rec, &sink,
           "{\"table_operations\":{},\"error\":null}");
    in.replicas = (struct rows){ next_of, &none };
    prints(&compact, &app_rec, &in, "{\"replicas\":{},\"nodes\":{}}");
    prints(&compact, &instance_rec, &instance, "{}");
    prints(&doris, &none_rec, &in, "{}");
}

#define ZEROES(X, s)                                      \
    X(s, STR, str, "str", OUT | PRINT_UNSET, -)           \
    X(s, I32, i32, "i32", OUT | PRINT_UNSET, -)           \
    X(s, I64, i64, "i64", OUT | PRINT_UNSET, -)           \
    X(s, U64, u64, "u64", OUT | PRINT_UNSET, -)           \
    X(s, F64, f64, "f64", OUT | PRINT_UNSET, -)           \
    X(s, BOOL, yes, "yes", OUT | PRINT_UNSET, -)          \
    X(s, FLAG, flag, "flag", OUT | PRINT_UNSET, -)        \
    X(s, ENUM, type, "type", OUT | PRINT_UNSET, type)     \
    X(s, BYTES, blob, "blob", OUT | PRINT_UNSET, -)       \
    X(s, JSON, memo, "memo", OUT | PRINT_UNSET, -)        \
    X(s, LIST, list, "list", OUT | PRINT_UNSET, STR)      \
    X(s, MAP, map, "map", OUT | PRINT_UNSET, STR)         \
    X(s, OBJ, obj, "obj", OUT | PRINT_UNSET, csv)         \
    X(s, LIST, null, "null", OUT | NULL_WHEN_ABSENT, STR) \
    X(s, LIST, kept, "kept", OUT | KEEP_EMPTY, STR, .nested = "in")
STRUCT(zeroes, ZEROES);
TABLE(zeroes, ZEROES);

static void
unset_members_print_their_zero_when_the_row_says_so(void **state)
{
    struct zeroes in = { 0 };

    (void)state;
    prints(&compact, &zeroes_rec, &in,
           "{\"str\":\"\",\"i32\":0,\"i64\":0,\"u64\":0,\"f64\":0,"
           "\"yes\":false,\"flag\":false,\"type\":\"SQL\",\"blob\":\"\","
           "\"memo\":null,\"list\":[],\"map\":{},\"obj\":{},\"null\":null,"
           "\"in\":{\"kept\":[]}}");
    prints(&pegasus, &zeroes_rec, &in,
           "{\"str\":\"\",\"i32\":\"0\",\"i64\":\"0\",\"u64\":\"0\",\"f64\":"
           "\"0.00\",\"yes\":\"false\",\"flag\":\"false\",\"type\":\"SQL\","
           "\"blob\":\"\",\"memo\":\"\",\"list\":\"[]\",\"map\":{},\"obj\":{},"
           "\"null\":\"\",\"in\":{\"kept\":\"[]\"}}");
}

#define HEAP(X, s)                     \
    X(s, BYTES, blob, "blob", OUT, -)  \
    X(s, MAP, map, "map", OUT, STR)    \
    X(s, LIST, list, "list", OUT, STR) \
    X(s, LIST, ids, "ids", OUT, I64)
STRUCT(heap, HEAP);
TABLE(heap, HEAP);

static void
bytes_and_every_element_are_printed(void **state)
{
    struct STR texts[] = { { .v = "1" }, { .v = "2" }, { .v = "3" } };
    struct map_of_STR entries[] = { { .key = "a", .value = { .v = "1" } },
                                    { .key = "b", .value = { .v = "2" } },
                                    { .key = "c", .value = { .v = "3" } } };
    struct I64 ids[] = { { .v = 1 }, { .v = -2 }, { .v = 3 } };
    struct heap in = { .blob = { "foo", 3 },
                       .map = { 3, entries },
                       .list = { 3, texts },
                       .ids = { 3, ids } };

    (void)state;
    SET(&in, heap, blob);
    prints(&compact, &heap_rec, &in,
           "{\"blob\":\"Zm9v\",\"map\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"},"
           "\"list\":[\"1\",\"2\",\"3\"],\"ids\":[1,-2,3]}");
    prints(&pegasus, &heap_rec, &in,
           "{\"blob\":\"Zm9v\",\"map\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"},"
           "\"list\":\"[1,2,3]\",\"ids\":\"[1,-2,3]\"}");
}

static void
an_input_shows_what_was_given_and_no_more(void **state)
{
    struct sink_config in = { .protocol = "p", .error = "e" };

    (void)state;
    SET(&in, sink_config, protocol);
    SET(&in, sink_config, error);       /* OUT only */
    SET(&in, sink_config, dispatchers); /* [] was given */
    SET(&in, sink_config, original);    /* the text with its secrets */
    in.original = (struct span){ "{}", 2 };
    assert_int_equal(
        render(&compact, &sink_config_rec, &in, SECRETS_STARS, true), ERR_OK);
    assert_string_equal(buf_text(&out),
                        "{\"dispatchers\":[],\"protocol\":\"p\"}");
}

static void
an_enum_without_a_name_is_printed_as_its_number(void **state)
{
    struct cluster in = { .type = 9, .has = 2 };

    (void)state;
    prints(&compact, &cluster_rec, &in, "{\"type\":9}");
    assert_string_equal(enum_text(type_names, 1), "COMPUTE");
    assert_string_equal(enum_text(type_names, 9), "");
}

/* ---- secrets ---- */

#define SECRETS(X, s)                                \
    X(s, STR, sk, "sk", IN | OUT | SECRET, -)        \
    X(s, STR, unset, "unset", IN | OUT | SECRET, -)  \
    X(s, LIST, list, "list", IN | OUT | SECRET, STR) \
    X(s, OBJ, obj, "obj", IN | OUT, obj_info)
STRUCT(secrets, SECRETS);
TABLE(secrets, SECRETS);

static void
secrets_are_masked_wherever_they_are(void **state)
{
    struct STR list[] = { { .v = "CANARY" } };
    struct obj_info obj = { .ak = "CANARY", .bucket = "b" };
    struct secrets in = { .sk = "CANARY", .list = { 1, list }, .obj = &obj };

    (void)state;
    SET(&obj, obj_info, ak);
    SET(&obj, obj_info, bucket);
    SET(&in, secrets, sk);
    assert_int_equal(render(&compact, &secrets_rec, &in, SECRETS_STARS, false),
                     ERR_OK);
    assert_string_equal(buf_text(&out),
                        "{\"sk\":\"***\",\"list\":\"***\","
                        "\"obj\":{\"ak\":\"***\",\"bucket\":\"b\"}}");
    prints(&compact, &secrets_rec, &in,
           "{\"sk\":\"CANARY\",\"list\":[\"CANARY\"],"
           "\"obj\":{\"ak\":\"CANARY\",\"bucket\":\"b\"}}");
}

/* ---- streaming, errors ---- */

static void
the_error_of_a_producer_is_returned(void **state)
{
    struct cluster one = { .cluster_id = "c", .has = 1 };
    struct source source = { (const char *)&one, sizeof(one), 1, ERR_STORE };
    struct instance in = { .clusters = { next_of, &source } };

    (void)state;
    assert_int_equal(render(&compact, &instance_rec, &in, SECRETS_FULL, false),
                     ERR_STORE);
}

static void
a_full_buffer_ends_a_stream_early(void **state)
{
    struct cluster many[100];
    struct source source = { (const char *)many, sizeof(many[0]), 100,
                             ERR_NOT_FOUND };
    struct instance in = { .clusters = { next_of, &source } };
    struct buf small = BUF_INIT(64);
    struct json_writer w;

    (void)state;
    memset(many, 0, sizeof(many));
    jw_init(&w, &small, &compact);
    assert_int_equal(
        record_render(&w, &instance_rec, &in, SECRETS_FULL, false, arena),
        ERR_LIMIT);
    assert_true(source.left > 50); /* the rest was not even asked for */
    buf_free(&small);
}

/* ---- questions about fields ---- */

static void
paths_are_found_and_followed(void **state)
{
    struct obj_info obj = { .ak = "", .bucket = "b" };
    struct vault vault = { .obj_info = &obj };
    struct create_instance in = { .vault = &vault };
    struct field_path path;
    bool present;
    const void *at;

    (void)state;
    SET(&obj, obj_info, bucket);
    SET(&obj, obj_info, ak);
    assert_int_equal(
        field_path_find(&create_instance_rec, "vault.obj_info.bucket", &path),
        ERR_OK);
    assert_int_equal(path.n, 3);
    at = field_path_get(&path, &in, &present);
    assert_true(present && at == &obj.bucket);
    assert_true(field_path_given(&path, &in));
    assert_int_equal(
        field_path_find(&create_instance_rec, "vault.obj_info.ak", &path),
        ERR_OK);
    (void)field_path_get(&path, &in, &present);
    assert_true(present);
    assert_false(field_path_given(&path, &in)); /* empty */
    in.vault = NULL;
    assert_null(field_path_get(&path, &in, &present));
    assert_false(present || field_path_given(&path, &in));
}

static void
an_unknown_path_is_refused(void **state)
{
    static const char *const paths[] = { "",       ".",
                                         "nope",   "vault.",
                                         ".vault", "vault.nope",
                                         "name.x", "vault..obj_info" };
    struct field_path path;

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++)
        assert_int_equal(field_path_find(&create_instance_rec, paths[i], &path),
                         ERR_BAD_PARAM);
}

static void
a_path_reaches_into_an_embedded_object(void **state)
{
    struct csv csv = { .delimiter = ";", .has = 1 };
    struct feed in = { .csv = &csv };
    struct field_path path;

    (void)state;
    assert_int_equal(field_path_find(&feed_rec, "delimiter", &path), ERR_OK);
    assert_int_equal(path.n, 2);
    assert_true(field_path_given(&path, &in));
    assert_int_equal(field_path_find(&feed_rec, "nope", &path), ERR_BAD_PARAM);
}

static bool
given(const struct record *rec, const char *key, const void *in)
{
    struct field_path path;

    assert_int_equal(field_path_find(rec, key, &path), ERR_OK);
    return field_path_given(&path, in);
}

static void
given_is_more_than_present(void **state)
{
    struct sink_config in = { .protocol = "", .atomicity = "none" };
    struct csv csv = { 0 };
    struct U64 ts[] = { { .v = 1 } };

    (void)state;
    in.has = UINT64_MAX;
    assert_false(given(&sink_config_rec, "protocol", &in));
    assert_true(given(&sink_config_rec, "transaction-atomicity", &in));
    assert_false(given(&sink_config_rec, "file-index-digit", &in));
    in.index_digit = 6;
    assert_true(given(&sink_config_rec, "file-index-digit", &in));
    assert_false(given(&sink_config_rec, "ignore_txn_start_ts", &in));
    in.ignored.n = 1;
    in.ignored.v = ts;
    assert_true(given(&sink_config_rec, "ignore_txn_start_ts", &in));
    assert_false(given(&sink_config_rec, "memo", &in));
    assert_true(given(&sink_config_rec, "ratio", &in)); /* 0.0 is a value */
    in.csv = &csv;
    assert_false(given(&sink_config_rec, "csv", &in));
    SET(&csv, csv, commit_ts);
    assert_true(given(&sink_config_rec, "csv", &in));
    in.has = 0;
    assert_false(given(&sink_config_rec, "file-index-digit", &in));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int
release(void **state)
{
    (void)state;
    buf_free(&out);
    return 0;
}

static void
a_text_lives_in_the_arena_or_is_refused(void **state)
{
    struct STR one = { 0 };
    const char *text = "unset";

    (void)state;
    PUT(&one, STR, v, "four");
    assert_int_equal(
        record_text(arena, &compact, &STR_rec, &one, SECRETS_FULL, 6, &text),
        ERR_OK);
    assert_string_equal(text, "\"four\"");
    assert_int_equal(
        record_text(arena, &compact, &STR_rec, &one, SECRETS_FULL, 5, &text),
        ERR_LIMIT);
    assert_null(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(doris_prints_clusters_in_the_middle_of_an_instance),
        T(kunlun_prints_three_forms_of_one_struct),
        T(pegasus_prints_strings_and_objects_by_key),
        T(ticdc_prints_what_it_was_given),
        T(a_reply_may_be_an_array),
        T(absent_members_follow_their_flags),
        T(unset_members_print_their_zero_when_the_row_says_so),
        T(bytes_and_every_element_are_printed),
        T(an_input_shows_what_was_given_and_no_more),
        T(an_enum_without_a_name_is_printed_as_its_number),
        T(secrets_are_masked_wherever_they_are),
        T(the_error_of_a_producer_is_returned),
        T(a_full_buffer_ends_a_stream_early),
        T(paths_are_found_and_followed),
        T(an_unknown_path_is_refused),
        T(a_path_reaches_into_an_embedded_object),
        T(given_is_more_than_present),
        T(a_text_lives_in_the_arena_or_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, release);
}
