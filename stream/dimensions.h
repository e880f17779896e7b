/* SPDX-License-Identifier: Apache-2.0 */
/* The segment dimensions and traits: one list, from which outputs, policies, `shoal inspect` and the
 * documentation (deploy/segments.md) are made.
 *
 * A dimension always has a level once it was looked at. A trait is a dimension with the one level "yes",
 * which a user enters and leaves. */
#ifndef SHOAL_DIMENSIONS_H
#define SHOAL_DIMENSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHOAL_LEVELS_MAX = 255 };

/*  X(NAME, "name", "levels, from 1", "unit of what is measured", "definition", "options")
 *
 *  "options" are those of the configuration that say how it is measured, without "segments.". */
#define SHOAL_DIMENSION_LIST(X)                                                                    \
    X(INTENT, "intent", "cold warm hot", "probability",                                            \
      "Probability of a purchase within 24 hours, against the two thresholds of the model. Up at "  \
      "once; down only when it has fallen below the threshold by the hysteresis and the level has " \
      "been held for the dwell time. Cold when so long passed without an event that the "           \
      "prediction has run out.",                                                                   \
      "intent.hysteresis intent.dwell intent.lapse")                                               \
    X(LIFECYCLE, "lifecycle", "new active returning lapsing inactive", "event time",               \
      "New for a while after the first event, then active; lapsing and inactive after so long "     \
      "without an event; returning for a while after the event that ends an inactive time.",        \
      "lifecycle.new lifecycle.returning lifecycle.lapsing lifecycle.inactive")                    \
    X(VALUE, "value", "low middle high", "spend within the model's horizon",                       \
      "What the user is expected to spend (BG/NBD with Gamma-Gamma, or a zero-inflated lognormal "  \
      "head, whichever validated better), against the two thresholds of the model. In purchases "   \
      "where the log has no prices.",                                                              \
      "value.hysteresis value.dwell")                                                              \
    X(CLUSTER, "cluster", "c1 c2 …", "share of belonging",                                         \
      "The nearest of the model's clusters (deep clustering of the user's state; `shoal segments` " \
      "says what each is like). Left only if another is nearer by the margin and the dwell time "   \
      "is over.",                                                                                  \
      "cluster.margin cluster.dwell")                                                              \
    X(ENGAGEMENT, "engagement", "inactive unengaged engaged", "probability",                       \
      "What the user will most probably do in the next 72 hours: nothing, only look, or add to the "\
      "cart, mark and buy. Left only if another is more probable by the margin and the dwell time " \
      "is over.",                                                                                  \
      "engagement.margin engagement.dwell")                                                        \
    X(NIGHT_ACTIVE, "night_active", "yes", "share of recent events",                               \
      "At least this share of the user's recent events (eight or more) fell between 22:00 and "     \
      "06:00.",                                                                                    \
      "night_active.share utc_offset traits.hysteresis traits.dwell")                              \
    X(PRICE_SENSITIVE, "price_sensitive", "yes", "factor of the price",                            \
      "What the user lately put into the cart, marked or bought (two or more) cost at most this "   \
      "share of what the user lately viewed (four or more), by geometric means.",                  \
      "price_sensitive.factor traits.hysteresis traits.dwell")                                     \
    X(CART_ABANDONER, "cart_abandoner", "yes", "share of carts",                                   \
      "Of the user's carts (two or more, weighted by a half-life of seven days) at least this "     \
      "share was not followed by a purchase.",                                                     \
      "cart_abandoner.share traits.hysteresis traits.dwell")                                       \
    X(FREQUENT_BUYER, "frequent_buyer", "yes", "event time",                                       \
      "Three or more days with a purchase, at most this far apart on average, the last one not "    \
      "more than twice as long ago.",                                                              \
      "frequent_buyer.interval traits.hysteresis traits.dwell")                                    \
    X(FIRST_TIME_BUYER, "first_time_buyer", "yes", "event time",                                   \
      "One day with a purchase so far, not longer ago than this.",                                 \
      "first_time_buyer.for traits.dwell")

enum shoal_dimension {
#define X(NAME, name, levels, unit, definition, options) SHOAL_##NAME,
    SHOAL_DIMENSION_LIST(X)
#undef X
        SHOAL_DIMENSION_COUNT
};

/* levels are numbered from 1, as in shoal_standing.level */
enum shoal_intent { SHOAL_COLD = 1, SHOAL_WARM, SHOAL_HOT };
enum shoal_lifecycle {
    SHOAL_NEW = 1,
    SHOAL_ACTIVE,
    SHOAL_RETURNING,
    SHOAL_LAPSING,
    SHOAL_LIFECYCLE_INACTIVE,
};
enum { SHOAL_YES = 1 }; /* of a trait */

struct shoal_dimension_info {
    const char *name, *levels, *unit, *definition, *options;
    const char *key; /* name as a key of JSON: "\"intent\":" */
};

/* Static. */
const struct shoal_dimension_info *shoal_dimension_info(enum shoal_dimension dimension);
const char *shoal_dimension_name(enum shoal_dimension dimension);
/* NULL for a level that does not exist; level 0 gives NULL. */
const char *shoal_level_name(enum shoal_dimension dimension, uint8_t level);
/* 255 for clusters. */
unsigned shoal_level_count(enum shoal_dimension dimension);
/* True for those that begin at NIGHT_ACTIVE. */
bool shoal_dimension_is_trait(enum shoal_dimension dimension);

/* A set of levels of one dimension. Zero-initialised: empty. */
struct shoal_levels {
    uint64_t bits[4];
};

static inline bool shoal_levels_has(const struct shoal_levels *levels, uint8_t level)
{
    return levels->bits[level / 64] >> (level % 64) & 1;
}

static inline void shoal_levels_add(struct shoal_levels *levels, uint8_t level)
{
    levels->bits[level / 64] |= UINT64_C(1) << (level % 64);
}

static inline bool shoal_levels_any(const struct shoal_levels *levels)
{
    return (levels->bits[0] | levels->bits[1] | levels->bits[2] | levels->bits[3]) != 0;
}

#endif
