/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A Kafka cluster for tests, librdkafka's own, on the loopback interface.
 *
 *	kafka_mock BROKERS TOPIC PARTITIONS
 *
 * Prints the brokers' addresses, then obeys lines of standard input, each
 * answered by "ok" (or what is wrong), until that ends:
 *
 *	down N | up N		broker N (from 1) goes, or is back
 *	topic-error TOPIC CODE	metadata of the topic have Kafka's error CODE
 *	produce-error CODE N	so do the next N requests that produce
 *	rtt MS			each answer takes so long
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#define API_PRODUCE 0

static rd_kafka_resp_err_t
obey(rd_kafka_mock_cluster_t *k, int brokers, const char *line)
{
	char topic[64];
	int a, n;

	if (sscanf(line, "down %d", &a) == 1)
		return rd_kafka_mock_broker_set_down(k, a);
	if (sscanf(line, "up %d", &a) == 1)
		return rd_kafka_mock_broker_set_up(k, a);
	if (sscanf(line, "topic-error %63s %d", topic, &a) == 2) {
		rd_kafka_mock_topic_set_error(k, topic, a);
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	}
	if (sscanf(line, "produce-error %d %d", &a, &n) == 2) {
		for (int i = 0; i < n; i++)
			rd_kafka_mock_push_request_errors(
			    k, API_PRODUCE, 1, (rd_kafka_resp_err_t)a);
		if (n == 0)
			rd_kafka_mock_clear_request_errors(k, API_PRODUCE);
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	}
	if (sscanf(line, "rtt %d", &a) == 1) {
		for (int b = 1; b <= brokers; b++)
			rd_kafka_mock_broker_set_rtt(k, b, a);
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	}
	return RD_KAFKA_RESP_ERR__INVALID_ARG;
}

int
main(int argc, char **argv)
{
	char text[200], line[200];

	if (argc != 4) {
		fputs("kafka_mock BROKERS TOPIC PARTITIONS\n", stderr);
		return 2;
	}
	int brokers = atoi(argv[1]);
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_conf_set_log_cb(conf, NULL);
	rd_kafka_t *rk =
	    rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
	if (rk == NULL) {
		fprintf(stderr, "%s\n", text);
		return 1;
	}
	rd_kafka_mock_cluster_t *k = rd_kafka_mock_cluster_new(rk, brokers);
	if (k == NULL)
		return 1;
	rd_kafka_mock_topic_create(k, argv[2], atoi(argv[3]), brokers);
	printf("%s\n", rd_kafka_mock_cluster_bootstraps(k));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		printf(
		    "%s\n", obey(k, brokers, line) == RD_KAFKA_RESP_ERR_NO_ERROR
				? "ok"
				: "wrong");
		fflush(stdout);
	}
	rd_kafka_mock_cluster_destroy(k);
	rd_kafka_destroy(rk);
	return 0;
}
