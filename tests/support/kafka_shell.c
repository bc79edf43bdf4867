/* A Kafka cluster for tests, librdkafka's own, in memory:
 *
 *     kafka_shell BROKERS TOPIC PARTITIONS
 *
 * Its first line is "host:port,...". Then on standard input: "down N", "up N",
 * "not_leader COUNT" (so many answers to producers). Ends with its input. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRODUCE 0

int
main(int argc, char **argv)
{
    char why[256], line[64];
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;

    if (argc != 4)
        return 2;
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof(why));
    cluster = rk != NULL ? rd_kafka_mock_cluster_new(rk, atoi(argv[1])) : NULL;
    if (cluster == NULL ||
        rd_kafka_mock_topic_create(cluster, argv[2], atoi(argv[3]), 1) != 0)
        return 1;
    (void)puts(rd_kafka_mock_cluster_bootstraps(cluster));
    (void)fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        int n = atoi(strchr(line, ' ') != NULL ? strchr(line, ' ') : "0");

        if (strncmp(line, "down", 4) == 0)
            (void)rd_kafka_mock_broker_set_down(cluster, n);
        else if (strncmp(line, "up", 2) == 0)
            (void)rd_kafka_mock_broker_set_up(cluster, n);
        else
            for (int i = 0; i < n; i++)
                rd_kafka_mock_push_request_errors(
                    cluster, PRODUCE, 1,
                    RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
        (void)puts("done");
        (void)fflush(stdout);
    }
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(rk);
    return 0;
}
