/* What an operator may ask of a partition: which words are understood, what
 * does not fit it as it is, and which actions are stored. */
#include <stdio.h>

#include "pegasus/partition/partition.h"
#include "pegasus/audit.h"
#include "pegasus/node/cluster.h"
#include "pegasus/pegasus.h"
#include "pegasus/table/table.h"

static enum err note_check(struct req *req, const void *in);
static enum err note_fail(struct req *req, int id);
static enum err note_invalid(struct req *req, const char *why);
static enum err note_lock(struct db *db, int64_t *version);
static enum err some_partition(struct db *db, struct arena *a, int32_t app_id,
                               int32_t pidx, struct pegasus_partition *out);
static enum err some_actions(struct db *db, struct arena *a, int32_t app_id,
                             int32_t pidx, struct list_of_pegasus_action *out);
static enum err note_drop(struct db *db, int32_t app_id, int32_t pidx);
static enum err
note_add(struct db *db, int32_t app_id, int32_t pidx, int ord, const char *type,
         const char *target, const char *node, bool balancer);
static enum err note_touch(struct db *db, int32_t app_id, int64_t version);
static enum err some_ddd(struct db *db, struct arena *a, int32_t app_id,
                         struct list_of_pegasus_ddd_line *out);
static void
note_audit(struct req *req, const struct pegasus_partition *row,
           const struct list_of_pegasus_action *actions, pg_audit_fn *say);
static void note_target(struct req *req, const char *kind, const char *name);
static enum err note_done(struct req *req, struct pegasus_outcome *out);
static enum err note_sent(struct req *req, enum err e, const struct record *rec,
                          const void *out);
static void note_wake(struct req *req);

#undef req_check
#define req_check                  note_check
#define req_fail(req, id, ...)     note_fail(req, id)
#define pegasus_invalid            note_invalid
#define pegasus_store_lock         note_lock
#define pegasus_store_partition    some_partition
#define pegasus_store_actions_of   some_actions
#define pegasus_store_actions_drop note_drop
#define pegasus_store_action_add   note_add
#define pegasus_store_touch        note_touch
#define pegasus_store_ddd          some_ddd
#define pg_audit_partition         note_audit
#define pg_audit_target            note_target
#define pegasus_send               note_done
#define req_send_or_fail           note_sent
#define req_wake                   note_wake
#include "pegasus/partition/operator.c"

#include "request/request.h"

/* ---- what happens ---- */

static char told[1024];
static struct pegasus_partition row;
static struct pegasus_action pending[2];
static size_t n_pending;
static enum err lock_says, add_says, touch_says;

__attribute__((format(printf, 1, 2))) static void
note(const char *fmt, ...)
{
    size_t n = strlen(told);
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(told + n, sizeof(told) - n, fmt, ap);
    va_end(ap);
}

static enum err
note_check(struct req *req, const void *in)
{
    (void)req;
    (void)in;
    return ERR_OK;
}

static enum err
note_fail(struct req *req, int id)
{
    (void)req;
    note("refused %d", id == PEGASUS_BAD_ID ? 1 : 0);
    return ERR_BAD_PARAM;
}

static enum err
note_invalid(struct req *req, const char *why)
{
    (void)req;
    note("%s", why);
    return ERR_BAD_PARAM;
}

static enum err
note_lock(struct db *db, int64_t *version)
{
    (void)db;
    *version = 8;
    note("lock; ");
    return lock_says;
}

static enum err
some_partition(struct db *db, struct arena *a, int32_t app_id, int32_t pidx,
               struct pegasus_partition *out)
{
    (void)db;
    (void)a;
    if (app_id != 7 || pidx != 3)
        return ERR_NOT_FOUND;
    *out = row;
    return ERR_OK;
}

static enum err
some_actions(struct db *db, struct arena *a, int32_t app_id, int32_t pidx,
             struct list_of_pegasus_action *out)
{
    (void)db;
    (void)a;
    assert_int_equal(app_id, 7);
    assert_int_equal(pidx, 3);
    *out = (struct list_of_pegasus_action){ .n = n_pending, .v = pending };
    return ERR_OK;
}

static enum err
note_drop(struct db *db, int32_t app_id, int32_t pidx)
{
    (void)db;
    note("drop %d.%d; ", app_id, pidx);
    return ERR_OK;
}

static enum err
note_add(struct db *db, int32_t app_id, int32_t pidx, int ord, const char *type,
         const char *target, const char *node, bool balancer)
{
    (void)db;
    note("add %d.%d/%d %s %s>%s%s; ", app_id, pidx, ord, type, target, node,
         balancer ? " balancer" : "");
    return add_says;
}

static enum err
note_touch(struct db *db, int32_t app_id, int64_t version)
{
    (void)db;
    note("touch %d as %d; ", app_id, (int)version);
    return touch_says;
}

static int32_t ddd_of;
static size_t n_ddd;

static enum err
some_ddd(struct db *db, struct arena *a, int32_t app_id,
         struct list_of_pegasus_ddd_line *out)
{
    static struct pegasus_ddd_line lines[4];

    (void)db;
    (void)a;
    ddd_of = app_id;
    *out = (struct list_of_pegasus_ddd_line){ .n = n_ddd, .v = lines };
    return ERR_OK;
}

static void
note_audit(struct req *req, const struct pegasus_partition *p,
           const struct list_of_pegasus_action *actions, pg_audit_fn *say)
{
    (void)req;
    assert_int_equal(p->pidx, 3);
    note("%s %zu; ", say == req_audit_before ? "before" : "after", actions->n);
}

static void
note_target(struct req *req, const char *kind, const char *name)
{
    (void)req;
    note("%s %s; ", kind, name);
}

static enum err
note_done(struct req *req, struct pegasus_outcome *out)
{
    (void)req;
    assert_string_equal(out->error, "ERR_OK");
    note("done");
    return ERR_OK;
}

static const char *sent_count;

static enum err
note_sent(struct req *req, enum err e, const struct record *rec,
          const void *out)
{
    (void)req;
    assert_ptr_equal(rec, &pegasus_ddd_rec);
    sent_count = ((const struct pegasus_ddd *)out)->count;
    return e;
}

static void
note_wake(struct req *req)
{
    (void)req;
    note("wake; ");
}

static int
begin(void **state)
{
    row = (struct pegasus_partition){ .app_id = 7,
                                      .pidx = 3,
                                      .ballot = 5,
                                      .max_replica_count = 3,
                                      .primary_node = "a:1",
                                      .secondaries = "b:1,c:1",
                                      .last_drops = "" };
    n_pending = n_ddd = 0;
    lock_says = add_says = touch_says = ERR_OK;
    told[0] = '\0';
    sent_count = NULL;
    return setup(state);
}
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, teardown)

#define HEAD "partition 7.3; lock; before 0; "

/* ---- balance ---- */

static const char *
balance(const char *type, const char *from, const char *to)
{
    const struct pegasus_balance in = {
        .gpid = "7.3", .type = type, .from = from, .to = to
    };

    told[0] = '\0';
    (void)!pegasus_balance_one(&r, &in);
    return told;
}

static void
a_primary_is_moved(void **state)
{
    (void)state;
    assert_string_equal(balance("move_pri", "a:1", "c:1"), HEAD
                        "add 7.3/0 DOWNGRADE_TO_SECONDARY a:1>a:1 balancer; "
                        "add 7.3/1 UPGRADE_TO_PRIMARY c:1>c:1 balancer; "
                        "touch 7 as 8; after 2; wake; done");
}

static void
what_does_not_fit_is_refused(void **state)
{
    (void)state;
    assert_string_equal(balance("move_pri", "b:1", "c:1"),
                        HEAD "from is not its primary");
    assert_string_equal(balance("copy_pri", "b:1", "d:1"),
                        HEAD "from is not its primary");
    assert_string_equal(balance("copy_sec", "a:1", "d:1"),
                        HEAD "from is not a secondary of it");
    assert_string_equal(balance("copy_sec", "d:1", "e:1"),
                        HEAD "from is not a secondary of it");
    assert_string_equal(balance("move_pri", "a:1", "d:1"),
                        HEAD "to is not a secondary of it");
    assert_string_equal(balance("move_pri", "a:1", "a:1"),
                        HEAD "to is not a secondary of it");
    assert_string_equal(balance("copy_pri", "a:1", "c:1"),
                        HEAD "to is a member of it already");
    assert_string_equal(balance("copy_sec", "b:1", "a:1"),
                        HEAD "to is a member of it already");
    row.primary_node = NULL;
    assert_string_equal(balance("copy_sec", "b:1", "d:1"),
                        HEAD "the partition has no primary");
}

/* Each action has its number, and all of them are stored. */
static void
replicas_are_copied(void **state)
{
    (void)state;
    assert_string_equal(balance("copy_sec", "c:1", "d:1"),
                        HEAD "add 7.3/0 ADD_SECONDARY_FOR_LB >d:1 balancer; "
                             "add 7.3/1 REMOVE >c:1 balancer; "
                             "touch 7 as 8; after 2; wake; done");
    assert_string_equal(balance("copy_pri", "a:1", "d:1"), HEAD
                        "add 7.3/0 ADD_SECONDARY_FOR_LB a:1>d:1 balancer; "
                        "add 7.3/1 DOWNGRADE_TO_SECONDARY a:1>a:1 balancer; "
                        "add 7.3/2 UPGRADE_TO_PRIMARY d:1>d:1 balancer; "
                        "add 7.3/3 REMOVE d:1>a:1 balancer; "
                        "touch 7 as 8; after 4; wake; done");
}

static void
words_of_a_balance_are_looked_at_first(void **state)
{
    static const char *const wrong[] = { "a", "a:", ":1", "a:1,b:1", "a b:1" };

    (void)state;
    assert_string_equal(balance("move", "a:1", "b:1"),
                        "type must be move_pri, copy_pri or copy_sec");
    assert_string_equal(balance("MOVE_PRI", "a:1", "b:1"),
                        "type must be move_pri, copy_pri or copy_sec");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_string_equal(balance("move_pri", wrong[i], "b:1"),
                            "from and to must be host:port");
        assert_string_equal(balance("move_pri", "a:1", wrong[i]),
                            "from and to must be host:port");
    }
}

static void
a_partition_is_named_by_its_gpid(void **state)
{
    struct pegasus_balance in = { .type = "move_pri",
                                  .from = "a:1",
                                  .to = "b:1" };
    static const char *const wrong[] = { "",     "7",    "7.",   ".3",
                                         "7.3.", "7.03", "7.-3", "x" };

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        told[0] = '\0';
        in.gpid = wrong[i];
        assert_int_equal(pegasus_balance_one(&r, &in), ERR_BAD_PARAM);
        assert_string_equal(told, "gpid must be <table id>.<partition>");
    }
    told[0] = '\0';
    in.gpid = "7.4";
    assert_int_equal(pegasus_balance_one(&r, &in), ERR_BAD_PARAM);
    assert_string_equal(told, "partition 7.4; lock; "
                              "no such partition of an available table");
}

/* ---- propose ---- */

static const char *
propose(const char *type, bool force)
{
    const struct pegasus_propose in = { .gpid = "7.3",
                                        .type = type,
                                        .target = "b:1",
                                        .node = "d:1",
                                        .force = force };

    told[0] = '\0';
    (void)!pegasus_propose_one(&r, &in);
    return told;
}

static void
a_change_is_proposed(void **state)
{
    static const char *const without[] = { "ASSIGN_PRIMARY",
                                           "UPGRADE_TO_PRIMARY",
                                           "DOWNGRADE_TO_SECONDARY",
                                           "DOWNGRADE_TO_INACTIVE", "REMOVE" };
    static const char *const with[] = { "ADD_SECONDARY",
                                        "ADD_SECONDARY_FOR_LB" };
    static const char *const never[] = { "UPGRADE_TO_SECONDARY",
                                         "DROP_PARTITION",
                                         "FORCE_UPDATE_BALLOT", "x", "" };

    (void)state;
    for (size_t i = 0; i < COUNT(without); i++)
        assert_string_equal(propose(without[i], false),
                            arena_printf(arena,
                                         HEAD "add 7.3/0 %s >d:1; touch 7 as "
                                              "8; after 1; wake; done",
                                         without[i]));
    for (size_t i = 0; i < COUNT(with); i++)
        assert_string_equal(propose(with[i], false),
                            arena_printf(arena,
                                         HEAD "add 7.3/0 %s b:1>d:1; touch 7 "
                                              "as 8; after 1; wake; done",
                                         with[i]));
    for (size_t i = 0; i < COUNT(never); i++)
        assert_string_equal(propose(never[i], false),
                            "type cannot be proposed");
}

static void
target_and_node_are_addresses(void **state)
{
    struct pegasus_propose in = {
        .gpid = "7.3", .type = "REMOVE", .target = "b", .node = "d:1"
    };

    (void)state;
    assert_int_equal(pegasus_propose_one(&r, &in), ERR_BAD_PARAM);
    assert_string_equal(told, "target and node must be host:port");
    told[0] = '\0';
    in.target = "b:1";
    in.node = "d";
    assert_int_equal(pegasus_propose_one(&r, &in), ERR_BAD_PARAM);
    assert_string_equal(told, "target and node must be host:port");
}

/* Who insists drops what is under way; it is told before. */
static void
one_change_is_under_way_at_a_time(void **state)
{
    (void)state;
    n_pending = 1;
    assert_string_equal(propose("REMOVE", false),
                        "partition 7.3; lock; another change of the "
                        "partition is pending");
    assert_string_equal(balance("move_pri", "a:1", "b:1"),
                        "partition 7.3; lock; another change of the "
                        "partition is pending");
    assert_string_equal(propose("REMOVE", true),
                        "partition 7.3; lock; before 1; drop 7.3; "
                        "add 7.3/0 REMOVE >d:1; touch 7 as 8; after 1; wake; "
                        "done");
}

static void
what_cannot_be_stored_is_not_done(void **state)
{
    (void)state;
    lock_says = ERR_STORE;
    assert_string_equal(propose("REMOVE", false), "partition 7.3; lock; ");
    lock_says = ERR_OK;
    add_says = ERR_STORE;
    assert_string_equal(balance("move_pri", "a:1", "b:1"),
                        HEAD "add 7.3/0 DOWNGRADE_TO_SECONDARY a:1>a:1 "
                             "balancer; ");
    add_says = ERR_OK;
    touch_says = ERR_STORE;
    assert_string_equal(propose("REMOVE", false),
                        HEAD "add 7.3/0 REMOVE >d:1; touch 7 as 8; ");
    touch_says = ERR_OK;
    row.last_drops = NULL; /* a row that nobody of us has written */
    assert_string_equal(propose("REMOVE", false), "partition 7.3; lock; ");
}

/* ---- ddd ---- */

static void
whose_partitions_are_asked_for(void **state)
{
    static const struct {
        const char *text;
        int32_t id; /* -1: refused */
    } known[] = {
        { NULL, 0 },
        { "-1", 0 },
        { "1", 1 },
        { "7", 7 },
        { "2147483647", INT32_MAX },
        { "0", -1 },
        { "-2", -1 },
        { "2147483648", -1 },
        { "", -1 },
        { "x", -1 },
        { "1x", -1 },
    };

    (void)state;
    n_ddd = 3;
    for (size_t i = 0; i < COUNT(known); i++) {
        struct pegasus_ddd_ref ref = { 0 };
        enum err e;

        if (known[i].text != NULL)
            PUT(&ref, pegasus_ddd_ref, app_id, known[i].text);
        ddd_of = -7;
        told[0] = '\0';
        sent_count = NULL;
        e = pegasus_ddd_list(&r, &ref);
        if (known[i].id >= 0) {
            assert_int_equal(e, ERR_OK);
            assert_int_equal(ddd_of, known[i].id);
            assert_string_equal(sent_count, "3");
        } else {
            assert_string_equal(told, "refused 1");
            assert_int_equal(ddd_of, -7);
            assert_null(sent_count);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_primary_is_moved),
        TEST(what_does_not_fit_is_refused),
        TEST(replicas_are_copied),
        TEST(words_of_a_balance_are_looked_at_first),
        TEST(a_partition_is_named_by_its_gpid),
        TEST(a_change_is_proposed),
        TEST(target_and_node_are_addresses),
        TEST(one_change_is_under_way_at_a_time),
        TEST(what_cannot_be_stored_is_not_done),
        TEST(whose_partitions_are_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
