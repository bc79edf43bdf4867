/* A bare producer of librdkafka, what a changefeed's Kafka is measured beside:
 *
 *     producer_shell SERVERS TOPIC PARTITIONS FILE
 *
 * sends each line of FILE, which it has read before, to the partitions in turn,
 * acknowledged as a changefeed's messages are, and prints how many there were,
 * and the seconds and the seconds of CPU that it took. */
#include <fcntl.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 100

static uint64_t delivered, failed;

static void
report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    (void)opaque;
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        delivered++;
    else
        failed++;
}

static double
cpu_s(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double
now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static rd_kafka_t *
producer(const char *servers)
{
    static const char *const options[][2] = {
        { "acks", "-1" },
        { "enable.idempotence", "true" },
        { "linger.ms", "5" },
        { "queue.buffering.max.kbytes", "131072" },
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (rd_kafka_conf_set(conf, options[i][0], options[i][1], why,
                              sizeof(why)) != RD_KAFKA_CONF_OK)
            return NULL;
    if (rd_kafka_conf_set(conf, "bootstrap.servers", servers, why,
                          sizeof(why)) != RD_KAFKA_CONF_OK)
        return NULL;
    rd_kafka_conf_set_dr_msg_cb(conf, report);
    return rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
}

static uint64_t
send_lines(rd_kafka_t *rk, rd_kafka_topic_t *topic, int32_t partitions,
           const char *p, const char *end)
{
    uint64_t n = 0;

    while (p < end) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t bytes = (size_t)((stop != NULL ? stop : end) - p);

        while (rd_kafka_produce(topic, (int32_t)(n % (uint64_t)partitions),
                                RD_KAFKA_MSG_F_COPY, (void *)(uintptr_t)p,
                                bytes, NULL, 0, NULL) == -1) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                return n;
            (void)rd_kafka_poll(rk, POLL_MS);
        }
        (void)rd_kafka_poll(rk, 0);
        n++;
        p += bytes + 1;
    }
    while (rd_kafka_outq_len(rk) > 0)
        (void)rd_kafka_flush(rk, POLL_MS);
    return n;
}

int
main(int argc, char **argv)
{
    rd_kafka_t *rk = argc == 5 ? producer(argv[1]) : NULL;
    int fd = argc == 5 ? open(argv[4], O_RDONLY | O_CLOEXEC) : -1;
    double begun, cpu;
    uint64_t n = 0;
    struct stat st;
    char *p;

    if (rk == NULL || fd == -1 || fstat(fd, &st) == -1 || st.st_size == 0)
        return 2;
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE,
             fd, 0);
    if (p == MAP_FAILED)
        return 2;
    begun = now_s();
    cpu = cpu_s();
    n = send_lines(rk, rd_kafka_topic_new(rk, argv[2], NULL), atoi(argv[3]), p,
                   p + st.st_size);
    (void)printf("%" PRIu64 " %.6f %.6f\n", n, now_s() - begun, cpu_s() - cpu);
    return failed == 0 && delivered == n ? 0 : 1;
}
