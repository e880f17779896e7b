/* SPDX-License-Identifier: Apache-2.0 */
/* Events into a data set; see load_events.h. */
#include "tools/load_events.h"

#include "model/purchases.h"
#include "tools/setup.h"

struct loader {
    struct shoal_load *load;
    struct shoal_dataset *dataset;
};

static enum shoal_status note_name(struct shoal_item_names *names, const struct shoal_event *event)
{
    char digits[24];
    size_t size;
    const char *id = names ? shoal_event_item(event, digits, &size) : NULL;
    return id ? shoal_item_names_add(names, event->touch.item, id, size) : SHOAL_OK;
}

static enum shoal_status take(void *context, const struct shoal_event *event)
{
    struct loader *loader = context;
    if (event->touch.time_ms >= loader->load->until_ms) {
        loader->load->reached = true;
        return SHOAL_OK;
    }
    const struct shoal_extra extra = {
        .event_id = event->event_id,
        .promotion = event->promotion,
        .exposure = event->exposure,
        .amount = (float)shoal_purchase_amount(event->price, event->quantity),
    };
    enum shoal_status status = shoal_dataset_append_event(loader->dataset, event->user,
                                                          event->user_size, &event->touch, &extra);
    loader->load->events += status == SHOAL_OK;
    return status == SHOAL_OK ? note_name(loader->load->names, event) : status;
}

static enum shoal_status forget(void *context, const char *user, size_t user_size)
{
    const struct loader *loader = context;
    return shoal_dataset_forget(loader->dataset, user, user_size);
}

enum shoal_status shoal_load_events(const char *files, struct shoal_load *load,
                                    struct shoal_dataset *dataset, struct shoal_message *message)
{
    struct loader loader = {load, dataset};
    struct shoal_walk walk = {load->pseudonym_key, take, forget, &loader, {0}};
    enum shoal_status status = shoal_walk_events(files, &walk, message);
    load->walked = walk.walked;
    if (status == SHOAL_OK && shoal_dataset_group(dataset) != SHOAL_OK)
        status = shoal_fail(message, SHOAL_NOMEM, "out of memory after %llu events",
                            (unsigned long long)load->events);
    return status;
}

int shoal_load_for(const struct shoal_cli_args *args, struct shoal_load *load,
                   struct shoal_dataset *dataset)
{
    struct shoal_message message = {.text = ""};
    if (!load->pseudonym_key)
        load->pseudonym_key = shoal_cli_get(args, "pseudonym-key");
    enum shoal_status status =
        shoal_load_events(shoal_cli_get(args, "events"), load, dataset, &message);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
    shoal_walked_tell(&load->walked);
    return SHOAL_EXIT_OK;
}
