/* Room: cli/ */
/* The words of the command line: `metagate <noun> <verb>`. Dialects bring the
 * rows, beside their endpoints (struct dialect); of one table come the parser,
 * help, completion and the manual pages.
 *
 *     VERB("job", "cancel", "have a job undone, with its parts", POST,
 *          "console", "/api/jobs/{id}/cancel", ASKS,
 *          .args = ARGS_OF(NEEDED("id", "id", "number of the job")))
 *
 * An argument fills the {part} of the path that is called as its member, else
 * a parameter of the query (GET, DELETE), else a member of the body, which may
 * lie in another ("cluster.cluster_id"). */
#ifndef MG_VERB_H
#define MG_VERB_H

#include "base.h"

enum arg_kind {
    ARG_TEXT,
    ARG_NUMBER,
    ARG_FLAG,  /* --name alone: true; in a query "1" */
    ARG_JSON,  /* a member that is JSON as given; @FILE, -: from there */
    ARG_WHOLE, /* all of the body, as ARG_JSON; the other members stand above */
    ARG_FIXED, /* not given: always `doc` */
    ARG_FRESH, /* not given: a fresh word each time */
};

struct verb_arg {
    const char *name;   /* as people see it: "state", for --state; NULL ends */
    const char *member; /* as the endpoint calls it */
    enum arg_kind kind;
    bool needed; /* by position, without a name */
    const char *doc;
    bool one_of;                /* doc is all it may be: "ok, warn, bad" */
    const char *before, *after; /* what is sent around it; NULL: nothing */
};

enum verb_flag {
    VERB_ASKS = 1 << 0,  /* takes something away: a terminal is asked, others
                          * say --yes */
    VERB_DRY = 1 << 1,   /* --dry-run is taken */
    VERB_JOB = 1 << 2,   /* --wait: for the job that it makes */
    VERB_WHOLE = 1 << 3, /* --wait: until what it has made is well; .waits */
    VERB_TREE = 1 << 4,  /* rows have id and parent */
    VERB_PAGES = 1 << 5, /* cursor and next: all pages, or --limit rows */
    VERB_RAW = 1 << 6,   /* the reply is no JSON: it is put out as it is */
};

struct verb {
    const char *noun; /* "mine instance"; NULL ends the table */
    const char *verb; /* "list" */
    const char *doc;  /* a line, without a full stop */
    const char *method;
    const char *listener; /* whose: "console"; the first of that name */
    const char *path;     /* "/api/jobs/{id}" */
    unsigned flags;
    const struct verb_arg *args; /* name NULL ends; NULL: none */
    const char *one;             /* where the thing is in the reply; NULL: it
                                  * is the reply */
    const char *rows;            /* where the rows are in the reply; NULL: the
                                  * reply is one thing */
    /* "ID=id,STATE=state:level,+WHY=why": head, member of a row, how it is
     * shown (:level in colour, :ms a time, :age how long since, :right), +: by
     * -o wide alone. NULL: all members. */
    const char *columns;
    const char *name;  /* the member that -o name prints; NULL: none */
    const char *none;  /* what is said where there are no rows; NULL: "none" */
    const char *waits; /* VERB_WHOLE: the kind of things (/api/topology); the
                        * first argument is its name */
};

/* `list` of a kind of things that a dialect has as a view (view.h); of those
 * whose name is not what other commands call them by, VERB_LIST_KEYS. */
#define VERB_LIST(noun_, dialect_, kind_, columns_, doc_) \
    VERB_LIST_OF(noun_, dialect_, kind_, columns_, doc_, "name")
#define VERB_LIST_KEYS(noun_, dialect_, kind_, columns_, doc_) \
    VERB_LIST_OF(noun_, dialect_, kind_, columns_, doc_, "key")
#define VERB_LIST_OF(noun_, dialect_, kind_, columns_, doc_, name_)          \
    {                                                                        \
        .noun = (noun_), .verb = "list", .doc = (doc_), .method = "GET",     \
        .listener = "console", .path = "/api/topology", .flags = VERB_PAGES, \
        .args = ARGS_OF(ONE_OF("level", "level", "ok, warn, bad"),           \
                        OPTION("under", "under", "directly below that id"),  \
                        FIXED("dialect", dialect_), FIXED("kind", kind_)),   \
        .rows = "items", .columns = columns_, .name = name_                  \
    }

#define ARGS_OF(...)          \
    (const struct verb_arg[]) \
    {                         \
        __VA_ARGS__,          \
        {                     \
            .name = NULL      \
        }                     \
    }
#define NEEDED(name_, member_, doc_)                                        \
    {                                                                       \
        .name = (name_), .member = (member_), .needed = true, .doc = (doc_) \
    }
#define OPTION(name_, member_, doc_)                        \
    {                                                       \
        .name = (name_), .member = (member_), .doc = (doc_) \
    }
#define ONE_OF(name_, member_, values_)                                        \
    {                                                                          \
        .name = (name_), .member = (member_), .doc = (values_), .one_of = true \
    }
#define NUMBER(name_, member_, doc_)                              \
    {                                                             \
        .name = (name_), .member = (member_), .kind = ARG_NUMBER, \
        .doc = (doc_)                                             \
    }
/* JSON by position; @FILE and - are read. */
#define NEEDED_JSON(name_, member_, doc_)                       \
    {                                                           \
        .name = (name_), .member = (member_), .kind = ARG_JSON, \
        .needed = true, .doc = (doc_)                           \
    }
#define SWITCH(name_, member_, doc_)                                          \
    {                                                                         \
        .name = (name_), .member = (member_), .kind = ARG_FLAG, .doc = (doc_) \
    }
#define WHOLE(doc_)                                                    \
    {                                                                  \
        .name = "data", .member = "", .kind = ARG_WHOLE, .doc = (doc_) \
    }
#define FIXED(member_, value_)                                              \
    {                                                                       \
        .name = "", .member = (member_), .kind = ARG_FIXED, .doc = (value_) \
    }
#define FRESH(member_)                                                \
    {                                                                 \
        .name = "", .member = (member_), .kind = ARG_FRESH, .doc = "" \
    }

#endif
