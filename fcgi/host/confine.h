/* What a process gives up for good before it serves strangers: running
 * programs, and writing files but those in folders of its own. */
#ifndef MG_CONFINE_H
#define MG_CONFINE_H

#include "base.h"

/* What this kernel can take away. */
struct confine_kernel {
    int landlock; /* its version; 0: none, or not switched on */
    bool seccomp;
};

void confine_kernel(struct confine_kernel *out);

/* Once it has returned OK, no thread that is started later can exec, gain
 * privileges by it, or write to a file, or make one, but below the folders
 * (NULL ends; what is missing is passed over); and none can make a folder or
 * a link, rename or remove anything at all. /dev/null and memory files stay
 * writable, and so do files that are open or mapped; reading is as before.
 * As far as the kernel can: *out is what it holds us to. STATE (errno) when it
 * refuses what it has. */
enum err
confine(const char *const *folders, struct confine_kernel *out) MUST_USE;

#endif
