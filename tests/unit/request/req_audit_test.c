/* What the audit row of a mutation says: the request without its secrets, the
 * thing, how it stood before and after. */
#include "sample/sample.h"

#include "json/json_difference.h"
#include "sample/sample_store.h"
#include "store/audit.h"

static const char *
row_of(const char *request_id)
{
    return audit_text(
        AUDIT_OF("CONCAT(token_name, '|', listener, '|', operation, '|',"
                 " target, '|', COALESCE(request_json, '-'), '|',"
                 " COALESCE(before_json, '-'), '|',"
                 " COALESCE(after_json, '-'), '|', data)"),
        request_id);
}

/* ---- who and what ---- */

static enum err
act_tells_all(struct req *r)
{
    req_audit(r, "thing x", "{\"n\":1}", NULL);
    req_audit(r, NULL, NULL, "{\"n\":2}");
    return req_ok(r);
}

static void
a_row_says_who_changed_what_and_how(void **state)
{
    (void)state;
    act = act_tells_all;
    STATUS(201, .path = "/a/v1/act/tx", .id = "one",
           .body = "{\"name\":\"x\",\"secret\":\"hush\",\"level\":3}");
    assert_string_equal(row_of("one"), "t|doris|act/tx|thing x|{\"name\":\"x\","
                                       "\"secret\":\"***\",\"level\":\"3\"}|"
                                       "{\"n\":1}|{\"n\":2}|0");
}

static enum err
act_tells_nothing(struct req *r)
{
    return req_ok(r);
}

static enum err
act_has_no_input(struct req *r)
{
    r->io->in = NULL;
    return req_ok(r);
}

static void
what_is_not_told_is_null(void **state)
{
    (void)state;
    act = act_tells_nothing;
    STATUS(200, .path = "/a/act/data", .id = "two");
    assert_string_equal(row_of("two"), "t|doris|act/data||{}|-|-|1");
    act = act_has_no_input;
    STATUS(201, ACT_TX, .id = "three");
    assert_string_equal(row_of("three"), "t|doris|act/tx||-|-|-|0");
}

static enum err
act_prints_records(struct req *r)
{
    struct sample_thing thing = { .name = "old", .secret = "hush" };

    SET(&thing, sample_thing, name);
    SET(&thing, sample_thing, secret);
    req_audit_before(r, &sample_thing_rec, &thing);
    thing.name = "new";
    PUT(&thing, sample_thing, level, 7);
    req_audit_after(r, &sample_thing_rec, &thing);
    thing.name = "newer";
    return req_ok(r);
}

static void
records_are_printed_at_once_without_secrets(void **state)
{
    (void)state;
    act = act_prints_records;
    STATUS(201, ACT_TX, .id = "four");
    assert_string_equal(
        row_of("four"),
        "t|doris|act/tx||{\"name\":\"x\"}|"
        "{\"name\":\"old\",\"secret\":\"***\"}|"
        "{\"name\":\"new\",\"secret\":\"***\",\"level\":\"7\"}|0");
}

#define ASKED(X, s)                        \
    X(s, STR, shown, "shown", IN | OUT, -) \
    X(s, STR, said, "said", IN, -)         \
    X(s, STR, told, "told", OUT, -)
STRUCT(asked, ASKED);
TABLE(asked, ASKED);

static enum err
act_prints_what_is_stored(struct req *r)
{
    static struct asked v;

    v = (struct asked){ 0 };
    PUT(&v, asked, shown, "a");
    PUT(&v, asked, said, "b");
    PUT(&v, asked, told, "c");
    r->io->in_rec = &asked_rec;
    r->io->in = &v;
    req_audit_before(r, &asked_rec, &v);
    req_audit_after(r, &asked_rec, &v);
    return req_ok(r);
}

/* Nor is what is told and was not said in the request. */
static void
what_is_said_and_not_stored_is_not_in_a_record(void **state)
{
    (void)state;
    act = act_prints_what_is_stored;
    STATUS(201, ACT_TX, .id = "stored");
    assert_string_equal(row_of("stored"),
                        "t|doris|act/tx||{\"shown\":\"a\",\"said\":\"b\"}|"
                        "{\"shown\":\"a\",\"told\":\"c\"}|"
                        "{\"shown\":\"a\",\"told\":\"c\"}|0");
}

/* ---- what is long ---- */

#define MIB ((size_t)1 << 20)

/* {"pad":"aaa…","word":"…"}: pad a's, and the word n times that character. */
static char *
document(size_t pad, char word, size_t n)
{
    char *text = malloc(pad + n + 32), *p = text;

    assert_non_null(text);
    p = stpcpy(p, "{\"pad\":\"");
    memset(p, 'a', pad);
    p = stpcpy(p + pad, "\",\"word\":\"");
    memset(p, word, n);
    (void)strcpy(p + n, "\"}");
    return text;
}

static const char *before, *after;

static enum err
act_tells_documents(struct req *r)
{
    req_audit(r, NULL, before, after);
    return req_ok(r);
}

static const char request_json[] = AUDIT_OF("request_json"),
                  before_json[] = AUDIT_OF("before_json"),
                  after_json[] = AUDIT_OF("after_json");

static void
holds(const char *id, const char *sql, const char *expected)
{
    const char *got = audit_text(sql, id);

    if (strlen(expected) > AUDIT_JSON_BYTES)
        expected = AUDIT_TOO_LONG;
    if (strcmp(got, expected) != 0)
        fail_msg("%s: %.100s, not %.100s", id, got, expected);
}

/* The row of a mutation between these two has them, or what differs. Frees
 * them. */
static void
keeps(const char *id, char *b, char *a, bool whole)
{
    const char *b_kept = b, *a_kept = a;

    before = b;
    after = a;
    act = act_tells_documents;
    STATUS(200, .path = "/a/act/data", .id = id);
    if (!whole)
        ok(json_difference(arena, b, a, &b_kept, &a_kept));
    holds(id, before_json, b_kept);
    holds(id, after_json, a_kept);
    free(b);
    free(a);
}

/* What stands around pad and word. */
#define AROUND 20

static void
of_long_documents_what_differs_is_kept(void **state)
{
    (void)state;
    keeps("five", document(2048 - AROUND - 1, '1', 1),
          document(2048 - AROUND - 1, '2', 1), true);
    keeps("six", document(2048 - AROUND - 1, '1', 1),
          document(2048 - AROUND - 1, '2', 2), false);
}

static void
of_very_long_ones_nothing_is_compared(void **state)
{
    (void)state;
    keeps("seven", document(MIB - AROUND - 1, '1', 1),
          document(MIB - AROUND - 1, '2', 1), false);
    keeps("eight", document(MIB - AROUND - 1, '1', 1),
          document(MIB - AROUND - 1, '2', 2), true);
}

/* The word that says that it is a difference has its length too. */
static void
a_difference_that_is_no_shorter_is_not_kept(void **state)
{
    (void)state;
    keeps("nine", document(9, '1', 3000), document(9, '2', 3000), true);
    keeps("ten", document(10, '1', 3000), document(10, '2', 3000), false);
}

static void
what_is_no_pair_of_documents_stays(void **state)
{
    char *long_text = document(5000, '1', 1);

    (void)state;
    long_text[0] = '(';
    keeps("eleven", long_text, document(5000, '2', 1), true);
    before = NULL;
    long_text = document(5000, '1', 1);
    after = long_text;
    STATUS(200, .path = "/a/act/data", .id = "twelve");
    holds("twelve", after_json, long_text);
    before = long_text;
    after = NULL;
    STATUS(200, .path = "/a/act/data", .id = "thirteen");
    holds("thirteen", before_json, long_text);
    free(long_text);
}

static void
requests(const char *id, size_t bytes, bool whole)
{
    static const char head[] = "{\"name\":\"", tail[] = "\"}";
    char *body = malloc(bytes + 1);

    assert_non_null(body);
    memset(body, 'a', bytes);
    memcpy(body, head, sizeof(head) - 1);
    memcpy(body + bytes - (sizeof(tail) - 1), tail, sizeof(tail));
    act = act_tells_nothing;
    STATUS(201, .path = "/a/act/tx", .body = body, .id = id);
    holds(id, request_json, whole ? body : AUDIT_TOO_LONG);
    free(body);
}

static void
a_request_that_is_too_long_is_noted(void **state)
{
    (void)state;
    requests("fourteen", AUDIT_JSON_BYTES, true);
    requests("fifteen", AUDIT_JSON_BYTES + 1, false);
}

static enum err
act_prints_much(struct req *r)
{
    struct sample_thing thing = { .has = 0 };

    PUT(&thing, sample_thing, name, before);
    req_audit_before(r, &sample_thing_rec, &thing);
    req_audit_after(r, &sample_thing_rec, &thing);
    return req_ok(r);
}

static void
a_record_that_is_too_long_is_noted(void **state)
{
    char *name = malloc(3 * MIB + 1);

    (void)state;
    assert_non_null(name);
    memset(name, 'a', 3 * MIB);
    name[3 * MIB] = '\0';
    before = name;
    act = act_prints_much;
    STATUS(201, ACT_TX, .id = "sixteen");
    holds("sixteen", before_json, AUDIT_TOO_LONG);
    holds("sixteen", after_json, AUDIT_TOO_LONG);
    free(name);
}

/* ---- without memory ---- */

static struct arena *small;

static enum err
act_prints_without_memory(struct req *r)
{
    struct arena *usual = r->arena;

    r->arena = small;
    before = "a name";
    (void)!act_prints_much(r);
    r->arena = usual;
    return req_ok(r);
}

static enum err
act_compares_without_memory(struct req *r)
{
    r->io->in = NULL;
    r->arena = small;
    req_audit(r, NULL, before, after);
    return req_ok(r);
}

/* What could not be told is not done. */
static void
without_memory_for_its_row_a_mutation_is_not_done(void **state)
{
    char *b = document(5000, '1', 1), *a = document(5000, '2', 1);

    (void)state;
    small = arena_new(1);
    act = act_prints_without_memory;
    SAYS("{\"NOMEM\":\"memory\"}", ACT_TX, .id = "seventeen");
    before = b;
    after = a;
    act = act_compares_without_memory;
    STATUS(503, ACT_TX, .id = "seventeen");
    assert_int_equal(audited("seventeen"), 0);
    arena_free(small);
    free(b);
    free(a);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_says_who_changed_what_and_how),
        cmocka_unit_test(what_is_not_told_is_null),
        cmocka_unit_test(records_are_printed_at_once_without_secrets),
        cmocka_unit_test(what_is_said_and_not_stored_is_not_in_a_record),
        cmocka_unit_test(of_long_documents_what_differs_is_kept),
        cmocka_unit_test(of_very_long_ones_nothing_is_compared),
        cmocka_unit_test(a_difference_that_is_no_shorter_is_not_kept),
        cmocka_unit_test(what_is_no_pair_of_documents_stays),
        cmocka_unit_test(a_request_that_is_too_long_is_noted),
        cmocka_unit_test(a_record_that_is_too_long_is_noted),
        cmocka_unit_test(without_memory_for_its_row_a_mutation_is_not_done),
    };

    return cmocka_run_group_tests(tests, store_setup, store_teardown);
}
