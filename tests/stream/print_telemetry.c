/* SPDX-License-Identifier: Apache-2.0 */
/* Prints figures that were made up (made_telemetry.h) as /metrics would, for promtool and the tests of
 * `shoal top`. */
#include <stdio.h>

#include "tests/stream/made_telemetry.h"

int main(void)
{
    struct shoal_telemetry *metrics = made_telemetry();
    struct shoal_buffer out = {0};
    shoal_telemetry_write_at(metrics, MADE_NOW_MS, &out);
    if (!out.failed)
        fwrite(out.bytes, 1, out.size, stdout);
    int code = out.failed ? 1 : 0;
    shoal_buffer_finish(&out);
    shoal_telemetry_destroy(metrics);
    return code;
}
