/* Room: host/ */
/* Programs that are kept running beside a machine's databases, as long as
 * somebody wants them: exporters, Prometheus. Whoever owns them says again and
 * again which are wanted; nothing here waits, and no thread is held. They
 * outlive their owner, and the next one adopts them. One thread at a time. */
#ifndef MG_HELPER_H
#define MG_HELPER_H

#include "base.h"

struct helpers;

/* A program as it is wanted. Texts are borrowed for the call. */
struct helper {
    const char *name;        /* unique, at most 63 characters of a file name;
                              * RUN_DIR/log/<name>.log is what it writes */
    const char *const *argv; /* argv[0] is looked up in PATH */
    const char *word;        /* the argument that no other process has */
    const char *const *env;  /* on top of ours; NULL */
    const char *address;     /* it serves when it lets in there */
    unsigned port;
    const char *version; /* of what it reads: another one starts it anew */
};

/* How it is. why: "" or a sentence. */
enum helper_state {
    HELPER_STARTS, /* or is tried again, why says why */
    HELPER_RUNS,
    HELPER_FAILED, /* it is not installed, or ends again and again */
};

struct helpers *helpers_new(void);

/* Those are wanted, and no others: what is missing is started, what is not
 * wanted is ended; state and why (n each) are filled. To be called about once
 * a second. NOMEM; then nothing has changed. */
enum err
helpers_tend(struct helpers *h, const struct helper *wanted, size_t n,
             enum helper_state *state, char (*why)[WHY_BYTES]) MUST_USE;

/* Ends all of them; false: not in that time, they are killed then. */
bool helpers_end(struct helpers *h, int timeout_ms);
/* Lets go of them: they go on. NULL is taken. */
void helpers_free(struct helpers *h);

#endif
