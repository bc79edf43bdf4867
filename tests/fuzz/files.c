/* Files that people write: metagate.ini and the key file. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "crypt/crypt_keys.h"
#include "fuzz.h"
#include "log.h"

static void
read_keys(int fd, const char *path)
{
    static struct crypt_key_set set;
    enum err e = crypt_keys_read(fd, path, &set);

    if (e != ERR_OK)
        return;
    HOLDS(set.n >= 1 && set.n <= CRYPT_KEYS_MAX);
    for (size_t i = 0; i < set.n; i++) {
        HOLDS(set.key[i].id >= 1 && set.key[i].id <= CRYPT_KEY_ID_MAX);
        for (size_t k = 0; k < i; k++)
            HOLDS(set.key[k].id != set.key[i].id);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char path[64], why[WHY_BYTES] = "";
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    enum err e;

    HOLDS(fd >= 0 && write(fd, data, n) == (ssize_t)n);
    HOLDS(fchmod(fd, 0600) == 0); /* others may not read keys */
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    HOLDS(log_open("/dev/null", "fuzz") == ERR_OK);
    config_place("/nonexistent", "127.0.0");
    e = config_load(path, why);
    HOLDS(e == ERR_OK || why[0] != '\0');
    HOLDS(memchr(why, '\0', sizeof(why)) != NULL);
    HOLDS(lseek(fd, 0, SEEK_SET) == 0);
    read_keys(fd, path);
    (void)close(fd);
    return 0;
}
