/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations as JSON; see explain_json.h. */
#include "stream/explain_json.h"

#include <inttypes.h>
#include <string.h>

#include "model/learn/permute.h"
#include "stream/put_json.h"

bool shoal_explain_item(const struct shoal_explain_found *found, const struct shoal_touch *touch,
                        char id[SHOAL_ITEM_ID_MAX + 1])
{
    const struct shoal_items *items = found->model->items;
    uint32_t item;
    size_t size;
    if (!items || !shoal_items_find(items, touch->item, &item))
        return false;
    const char *text = shoal_items_id(items, item, &size);
    memcpy(id, text, size);
    id[size] = '\0';
    return true;
}

static void put_both(struct shoal_put *put, const struct shoal_explain_found *found, double logit)
{
    shoal_put_real(put, "logit", logit);
    shoal_put_real(put, "probability", logit * found->explanation->slope);
}

static void put_total(struct shoal_put *put, const struct shoal_explain_found *found,
                      const char *key, double logit)
{
    shoal_put_open(put, key, '{');
    put_both(put, found, logit);
    shoal_put_close(put, '}');
}

static void put_event_json(struct shoal_put *put, const struct shoal_explain_found *found, size_t t)
{
    const struct shoal_touch *touch = &found->explained->touches[t];
    char item[16], category[8], id[SHOAL_ITEM_ID_MAX + 1];
    snprintf(item, sizeof item, "%08" PRIx32, touch->item);
    snprintf(category, sizeof category, "%04x", (unsigned)touch->category);
    shoal_put_open(put, NULL, '{');
    shoal_put_time(put, "time", touch->time_ms);
    shoal_put_text(put, "behavior", shoal_behavior_name((enum shoal_behavior)touch->behavior));
    shoal_put_text(put, "item", item);
    shoal_put_text(put, "item_id", shoal_explain_item(found, touch, id) ? id : NULL);
    shoal_put_text(put, "category", touch->category ? category : NULL);
    shoal_put_real(put, "score_after", (double)found->explained->scores[t]);
    put_both(put, found, found->events[t].sum);
    shoal_put_open(put, "inputs", '{');
    for (int i = 0; i < SHOAL_REASONS; i++)
        shoal_put_real(put, shoal_reason_name((enum shoal_reason)i), found->events[t].inputs[i]);
    shoal_put_close(put, '}');
    shoal_put_close(put, '}');
}

static void put_inputs(struct shoal_put *put, const struct shoal_explain_found *found)
{
    const struct shoal_explanation *e = found->explanation;
    shoal_put_open(put, "inputs", '{');
    for (int i = 0; i < SHOAL_REASONS; i++)
        put_total(put, found, shoal_reason_name((enum shoal_reason)i), e->inputs[i]);
    shoal_put_close(put, '}');
    put_total(put, found, "counters_total", e->counters);
    shoal_put_open(put, "counters", '{');
    for (int k = 0; k < SHOAL_COUNTERS; k++) {
        shoal_put_open(put, shoal_input_name((enum shoal_input_group)(SHOAL_INPUT_pv_1h + k)), '{');
        shoal_put_real(put, "rate", (double)found->explained->rates[k]);
        shoal_put_real(put, "standardised", (double)e->standardised[k]);
        put_both(put, found, e->each_counter[k]);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, '}');
}

static void put_scores(struct shoal_put *put, const struct shoal_explain_found *found)
{
    const struct shoal_explain_case *c = found->explained;
    const struct shoal_explanation *e = found->explanation;
    shoal_put_open(put, "scores", '{');
    shoal_put_real(put, "explained", (double)e->probability);
    shoal_put_real(put, "base", (double)e->base_probability);
    shoal_put_real(put, "served", (double)c->served);
    shoal_put_hash(put, "served_by", c->served_by);
    shoal_put_real(put, "state", (double)c->state);
    shoal_put_real(put, "correction", (double)c->correction);
    shoal_put_real(put, "difference", (double)e->probability - (double)c->served);
    shoal_put_close(put, '}');
    shoal_put_open(put, "logits", '{');
    shoal_put_real(put, "explained", (double)e->logit);
    shoal_put_real(put, "base", (double)e->base_logit);
    shoal_put_real(put, "probability_per_logit", e->slope);
    shoal_put_close(put, '}');
}

static void put_completeness(struct shoal_put *put, const struct shoal_explain_found *found)
{
    const struct shoal_explanation *e = found->explanation;
    shoal_put_open(put, "completeness", '{');
    shoal_put_text(put, "rule", shoal_quadrature_name(found->options->rule));
    shoal_put_count(put, "steps", found->options->steps);
    shoal_put_real(put, "sum", e->events + e->counters);
    shoal_put_real(put, "difference", (double)e->logit - (double)e->base_logit);
    shoal_put_real(put, "error", e->error);
    shoal_put_real(put, "relative_error", e->relative_error);
    shoal_put_close(put, '}');
}

void shoal_explain_print_json(const struct shoal_explain_found *found, FILE *out)
{
    const struct shoal_explain_case *c = found->explained;
    struct shoal_put put = {.out = out};
    shoal_put_open(&put, NULL, '{');
    shoal_put_text(&put, "user_id", c->user);
    shoal_put_text(&put, "model", found->model->version);
    shoal_put_text(&put, "task", "buy_24h");
    shoal_put_text(&put, "source", c->from_events ? "events" : "record");
    shoal_put_time(&put, "as_of", c->touches[c->count - 1].time_ms);
    shoal_put_count(&put, "events_known", c->known);
    shoal_put_count(&put, "events_explained", c->count);
    put_scores(&put, found);
    put_completeness(&put, found);
    put_total(&put, found, "events_total", found->explanation->events);
    shoal_put_open(&put, "events", '[');
    for (size_t t = 0; t < c->count; t++)
        put_event_json(&put, found, t);
    shoal_put_close(&put, ']');
    put_inputs(&put, found);
    shoal_put_close(&put, '}');
    fputc('\n', out);
}
