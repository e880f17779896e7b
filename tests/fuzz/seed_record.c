/* SPDX-License-Identifier: Apache-2.0 */
/* Writes records into the folder given: how corpus/record was made, and is made again when the
 * format changes. */
#include <stdio.h>

#include "tests/state/random_record.h"

static int write_file(const char *folder, const char *name, const struct shoal_record *record,
                      enum shoal_precision precision)
{
    char path[4096];
    struct shoal_buffer bytes = {0};
    shoal_record_encode(record, precision, &bytes);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    size_t written = file ? fwrite(bytes.bytes, 1, bytes.size, file) : 0;
    int failed = !file || written != bytes.size || fclose(file) != 0;
    if (failed)
        perror(path);
    shoal_buffer_finish(&bytes);
    return failed;
}

int main(int argc, char **argv)
{
    float hc[2 * 64];
    struct shoal_record record;
    uint64_t seed = 1;
    int failed = 0;
    if (argc != 2) {
        fputs("usage: seed_record FOLDER\n", stderr);
        return 2;
    }
    shoal_record_init(&record, 64, hc);
    failed |= write_file(argv[1], "empty", &record, SHOAL_FP16);
    test_usual_record(&record, &seed);
    failed |= write_file(argv[1], "usual", &record, SHOAL_FP16);
    for (int i = 0; i < 4; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "random_%d", i);
        test_random_record(&record, &seed, SHOAL_FP16);
        failed |= write_file(argv[1], name, &record, i % 2 ? SHOAL_FP32 : SHOAL_FP16);
    }
    shoal_record_init(&record, 16, hc);
    test_random_record(&record, &seed, SHOAL_FP16);
    failed |= write_file(argv[1], "other_size", &record, SHOAL_FP16);
    return failed;
}
