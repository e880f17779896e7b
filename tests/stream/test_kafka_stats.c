/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "stream/kafka_stats.h"
#include "tests/state/leaks.h"

/* What librdkafka 2.0.2 prints, shortened. */
static const char report[] =
    "{\"name\":\"rdkafka#consumer-1\",\"type\":\"consumer\",\"ts\":1,\"replyq\":0,\"msg_cnt\":3,"
    "\"msg_size\":99,\"tx\":1234,\"tx_bytes\":56789,\"rx\":1230,\"rx_bytes\":987654,\"txmsgs\":11,"
    "\"rxmsgs\":4321,\"brokers\":{\"a:9092/1\":{\"name\":\"a:9092/1\",\"outbuf_cnt\":2,"
    "\"txretries\":1,\"req_timeouts\":4,\"rtt\":{\"min\":900,\"max\":3000,\"avg\":1500,\"p99\":2900}},"
    "\"b:9092/2\":{\"outbuf_cnt\":1,\"txretries\":2,\"req_timeouts\":0,"
    "\"rtt\":{\"avg\":700,\"p99\":4100}},\"boot\":{\"outbuf_cnt\":0,\"rtt\":{}}},"
    "\"topics\":{\"other\":{\"partitions\":{\"7\":{\"partition\":7,\"fetchq_cnt\":50,\"consumer_lag\":9}}},"
    "\"shoal.events\":{\"topic\":\"shoal.events\",\"partitions\":{"
    "\"0\":{\"partition\":0,\"fetchq_cnt\":5,\"consumer_lag\":17},"
    "\"2\":{\"partition\":2,\"fetchq_cnt\":6,\"consumer_lag\":0},"
    "\"3\":{\"partition\":3,\"fetchq_cnt\":0,\"consumer_lag\":-1,\"consumer_lag_stored\":-1},"
    "\"4\":{\"partition\":4,\"fetchq_cnt\":0,\"consumer_lag\":-1,\"consumer_lag_stored\":8},"
    "\"5\":{\"partition\":5,\"fetchq_cnt\":0,\"consumer_lag\":6,\"consumer_lag_stored\":9},"
    "\"-1\":{\"partition\":-1,\"fetchq_cnt\":0,\"consumer_lag\":-1}}}},"
    "\"cgrp\":{\"state\":\"up\",\"rebalance_cnt\":5}}";

Test(kafka_stats, the_figures_are_those_of_the_report)
{
    struct shoal_kafka_stats stats = {0};
    cr_assert_eq(shoal_kafka_stats_read(&stats, report, strlen(report), "shoal.events"), SHOAL_OK);
    const struct shoal_kafka_figures *f = &stats.figures;
    cr_assert_eq(f->requests, 1234);
    cr_assert_eq(f->sent_bytes, 56789);
    cr_assert_eq(f->received_bytes, 987654);
    cr_assert_eq(f->sent_messages, 11);
    cr_assert_eq(f->received_messages, 4321);
    cr_assert_eq(f->waiting_requests, 3);
    cr_assert_eq(f->retries, 3);
    cr_assert_eq(f->timeouts, 4);
    cr_assert_eq(f->rebalances, 5);
    cr_assert_eq(f->queued_messages, 3 + 5 + 6);
    cr_assert_float_eq(f->rtt_s, 0.0015, 1e-12);
    cr_assert_float_eq(f->rtt_p99_s, 0.0041, 1e-12);
    cr_assert_eq(shoal_kafka_stats_lag(&stats, 0), 17);
    cr_assert_eq(shoal_kafka_stats_lag(&stats, 1), -1);
    cr_assert_eq(shoal_kafka_stats_lag(&stats, 2), 0);
    cr_assert_eq(shoal_kafka_stats_lag(&stats, 3), -1);
    cr_assert_eq(shoal_kafka_stats_lag(&stats, 4), 8, "committed in transactions, not by the consumer");
    cr_assert_eq(shoal_kafka_stats_lag(&stats, 5), 6);
    cr_assert_eq(shoal_kafka_stats_lag(&stats, -1), -1);
    cr_assert_eq(shoal_kafka_stats_lag(&stats, 99), -1);
    shoal_kafka_stats_finish(&stats);
    test_no_leaks();
}

Test(kafka_stats, a_partition_that_goes_has_no_lag_any_more)
{
    struct shoal_kafka_stats stats = {0};
    cr_assert_eq(shoal_kafka_stats_read(&stats, report, strlen(report), "shoal.events"), SHOAL_OK);
    cr_assert_eq(shoal_kafka_stats_read(&stats, "{}", 2, "shoal.events"), SHOAL_OK);
    cr_assert_eq(shoal_kafka_stats_lag(&stats, 0), -1);
    cr_assert_eq(stats.figures.requests, 0);
    shoal_kafka_stats_finish(&stats);
}

Test(kafka_stats, text_that_is_no_report_changes_nothing)
{
    static const char *const texts[] = {"", "[]", "{\"tx\":", "null", "{\"tx\":1}}"};
    struct shoal_kafka_stats stats = {0};
    cr_assert_eq(shoal_kafka_stats_read(&stats, report, strlen(report), NULL), SHOAL_OK);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_assert_eq(shoal_kafka_stats_read(&stats, texts[i], strlen(texts[i]), "shoal.events"),
                     SHOAL_DAMAGED, "%s", texts[i]);
    cr_assert_eq(stats.figures.requests, 1234);
    shoal_kafka_stats_finish(&stats);
    test_no_leaks();
}

Test(kafka_stats, fields_of_other_types_are_none)
{
    static const char odd[] = "{\"tx\":\"7\",\"brokers\":[1],\"topics\":{\"t\":{\"partitions\":"
                              "{\"0\":{\"partition\":\"0\",\"consumer_lag\":\"5\"},\"1\":7,"
                              "\"9\":{\"partition\":99999999999,\"consumer_lag\":5}}}},\"cgrp\":0}";
    struct shoal_kafka_stats stats = {0};
    cr_assert_eq(shoal_kafka_stats_read(&stats, odd, strlen(odd), "t"), SHOAL_OK);
    cr_assert_eq(stats.figures.requests, 0);
    cr_assert_eq(shoal_kafka_stats_lag(&stats, 0), -1);
    shoal_kafka_stats_finish(&stats);
    test_no_leaks();
}
