/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "stream/event.h"

Test(partition, hashes_are_those_of_the_java_client)
{
    /* From org.apache.kafka.common.utils.UtilsTest; with 2^31 − 1 partitions nearly all bits show.
     */
    static const struct {
        const char *key;
        int32_t murmur2;
    } cases[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = strlen(cases[i].key);
        int32_t positive = cases[i].murmur2 & 0x7fffffff;
        cr_assert_eq(shoal_partition_of(cases[i].key, size, INT32_MAX), positive % INT32_MAX, "%s",
                     cases[i].key);
        for (int32_t count = 1; count < 50; count++)
            cr_assert_eq(shoal_partition_of(cases[i].key, size, count), positive % count);
    }
}

Test(partition, librdkafka_puts_every_key_in_the_same_partition)
{
    unsigned seed = 7;
    for (int i = 0; i < 20000; i++) {
        unsigned char key[64];
        size_t size = 1 + (size_t)(rand_r(&seed) % 64);
        for (size_t at = 0; at < size; at++)
            key[at] = (unsigned char)rand_r(&seed);
        int32_t count = 1 + rand_r(&seed) % 1000;
        int32_t wanted =
            rd_kafka_msg_partitioner_murmur2_random(NULL, key, size, count, NULL, NULL);
        cr_assert_eq(shoal_partition_of(key, size, count), wanted);
    }
}

Test(partition, taobao_users_spread_over_all_partitions)
{
    int counts[4] = {0};
    for (int user = 0; user < 4000; user++) {
        char key[16];
        int size = snprintf(key, sizeof key, "%d", 1000000 + user);
        counts[shoal_partition_of(key, (size_t)size, 4)]++;
    }
    for (int i = 0; i < 4; i++)
        cr_assert(counts[i] > 850 && counts[i] < 1150, "partition %d: %d", i, counts[i]);
}
