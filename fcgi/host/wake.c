/* Wake-up datagrams: a socket per loop in the folder of sockets. */
#include "wake.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "place.h"

#define PREFIX "wake."

static bool
address(const char *name, struct sockaddr_un *sa)
{
    char file[64];

    memset(sa, 0, sizeof(*sa));
    sa->sun_family = AF_UNIX;
    return snprintf(file, sizeof(file), PREFIX "%s", name) <
               (int)sizeof(file) &&
           place_socket(sa->sun_path, sizeof(sa->sun_path), file) == ERR_OK;
}

int
wake_open(const char *name)
{
    struct sockaddr_un sa;
    int fd = -1;

    if (address(name, &sa))
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)unlink(sa.sun_path); /* of a process that was killed */
    if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
        return fd;
    log_warn("wake.open path=%s why=\"%s\"", sa.sun_path, strerror(errno));
    (void)close(fd);
    return -1;
}

void
wake_close(int fd, const char *name)
{
    struct sockaddr_un sa;

    if (fd < 0)
        return;
    (void)close(fd);
    if (address(name, &sa))
        (void)unlink(sa.sun_path);
}

void
wake_drain(int fd)
{
    char byte;

    while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0)
        ;
}

static void
send_to(int fd, const char *file)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };

    if (place_socket(sa.sun_path, sizeof(sa.sun_path), file) == ERR_OK)
        (void)sendto(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL,
                     (struct sockaddr *)&sa, sizeof(sa));
}

void
wake_send(void)
{
    char folder[PLACE_BYTES];
    struct dirent *entry;
    DIR *dir = NULL;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && place_socket_dir(folder, sizeof(folder)) == ERR_OK)
        dir = opendir(folder);
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (strncmp(entry->d_name, PREFIX, sizeof(PREFIX) - 1) == 0)
            send_to(fd, entry->d_name);
    if (dir != NULL)
        (void)closedir(dir);
    if (fd >= 0)
        (void)close(fd);
}
