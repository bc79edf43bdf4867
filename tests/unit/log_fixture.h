/* What the code under test logs: kept in a file, instead of on standard
 * error, from log_catch to log_release. */
#ifndef MG_TEST_LOG_FIXTURE_H
#define MG_TEST_LOG_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static char log_caught[] = "/var/tmp/unitlog.XXXXXX";

static void
log_release(void)
{
    (void)unlink(log_caught);
    memcpy(log_caught + sizeof(log_caught) - 7, "XXXXXX", 6);
    (void)!log_open("-", "unit");
    log_set_level(LOG_LV_INFO);
}

/* All of it from now on. */
static void
log_catch(void)
{
    int fd = mkstemp(log_caught);

    assert_true(fd >= 0 && close(fd) == 0);
    assert_int_equal(log_open(log_caught, "unit"), ERR_OK);
    log_set_level(LOG_LV_DEBUG);
}

/* What was logged since the last call. */
static const char *
logged(void)
{
    static char text[65536];
    FILE *f = fopen(log_caught, "r+");
    size_t n = f == NULL ? 0 : fread(text, 1, sizeof(text) - 1, f);

    text[n] = '\0';
    assert_true(f != NULL && ftruncate(fileno(f), 0) == 0 && fclose(f) == 0);
    return text;
}

static UNUSED size_t
times(const char *word, const char *text)
{
    size_t n = 0;

    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        n++;
    return n;
}

#endif
