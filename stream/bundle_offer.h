/* SPDX-License-Identifier: Apache-2.0 */
/* A promotion's bundle beside a user's recent events.
 *
 * An offer of a bundle is for a user who lately turned to one of its items and has not bought all of them. It
 * stands until it expires or everything is bought: that the first item has left the recent events is no reason
 * to take back what was offered.
 *
 *   anchor   what the offer begins with: of the items that were bought lately, or, if none was, of those that
 *            the user turned to, the latest
 *   carried  the other items that were not bought lately */
#ifndef SHOAL_BUNDLE_OFFER_H
#define SHOAL_BUNDLE_OFFER_H

#include "stream/policy.h"

struct shoal_bundle_look {
    int anchor;           /* index into the bundle; −1: none of it is among the recent events */
    unsigned bought;      /* how many of its items are among the recent purchases */
    uint32_t carried;     /* bits of the items to offer; 0 only if all are bought */
};

struct shoal_bundle_look shoal_bundle_look(const struct shoal_promotion *promotion,
                                           const struct shoal_record *record);

#endif
