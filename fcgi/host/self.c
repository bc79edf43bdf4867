/* Which host this is. */
#include "self.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "config.h"
#include "file.h"
#include "place.h"

void
self_boot_id(char out[40])
{
    (void)file_start("/proc/sys/kernel/random/boot_id", out, 40);
    out[strcspn(out, "\n")] = '\0';
}

/* Containers of one machine have its boot, and may have the same paths: but
 * not the same directory, or not the same name. */
void
self_id(char out[SELF_ID_BYTES])
{
    char boot[40], name[HOST_NAME_MAX + 1] = "", text[PLACE_BYTES + 512];
    uint64_t h = UINT64_C(14695981039346656037);
    struct stat st = { 0 };

    self_boot_id(boot);
    (void)gethostname(name, sizeof(name) - 1);
    (void)stat(config_run_dir(), &st);
    (void)snprintf(text, sizeof(text), "%s|%s|%llu|%llu|%s", boot, name,
                   (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
                   config_run_dir());
    for (const char *p = text; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
    (void)snprintf(out, SELF_ID_BYTES, "%016llx", (unsigned long long)h);
}
