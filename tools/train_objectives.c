/* SPDX-License-Identifier: Apache-2.0 */
/* See train_objectives.h. */
#include "tools/train_objectives.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Where the weight of what is called `name` belongs; NULL if nothing is. */
static float *weight_of(const char *name, size_t size, struct shoal_objective_options *objectives,
                        struct shoal_task_mix *mix)
{
    static const char *const names[] = {
#define X(objective) #objective,
        SHOAL_OBJECTIVE_LIST(X)
#undef X
    };
    for (size_t o = 0; o < SHOAL_OBJECTIVES; o++)
        if (strlen(names[o]) == size && memcmp(names[o], name, size) == 0)
            return &objectives->weights[o];
    for (size_t n = 0; mix && n < SHOAL_TASKS; n++) {
        const char *task = shoal_task_info((enum shoal_task)n)->name;
        if (n != SHOAL_buy_24h && strlen(task) == size && memcmp(task, name, size) == 0)
            return &mix->share[n];
    }
    return NULL;
}

bool shoal_train_objectives_read(const struct shoal_cli_args *args, const char *option,
                                 struct shoal_objective_options *objectives,
                                 struct shoal_task_mix *mix)
{
    const char *at = shoal_cli_get(args, option);
    if (at && mix && strcmp(at, "auto") == 0)
        return true; /* as by default */
    memset(objectives->weights, 0, sizeof objectives->weights);
    if (!at || strcmp(at, "none") == 0)
        return true;
    while (*at) {
        size_t size = strcspn(at, ":,");
        float *weight = weight_of(at, size, objectives, mix);
        char *end = NULL;
        double value = at[size] == ':' ? strtod(at + size + 1, &end) : 1;
        if (at[size] != ':')
            end = (char *)(uintptr_t)(at + size);
        bool number = at[size] != ':' || end > at + size + 1;
        if (!weight || !number || !(value >= 0 && value <= 100) || (*end && *end != ',')) {
            shoal_cli_fail(
                args, SHOAL_EXIT_USAGE,
                "--%s: \"%s\" is not NAME:WEIGHT[,…] with a weight of 0 to 100 and a NAME of "
                "behavior, gap, repeat, category, item%s",
                option, at, mix ? ", buy_1h, buy_72h, churn_3d, events_24h" : "");
            return false;
        }
        *weight = (float)value;
        at = *end ? end + 1 : end;
    }
    return true;
}
