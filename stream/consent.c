/* SPDX-License-Identifier: Apache-2.0 */
/* Consent; see consent.h. In the record's byte, the low four bits say what is given and the high four
 * what the user has ever said anything about. */
#include "stream/consent.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {"marketing", "personalization", "processing"};

const char *shoal_consent_name(unsigned consent)
{
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (consent == 1u << i)
            return names[i];
    }
    return NULL;
}

unsigned shoal_consent_of(const char *name)
{
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) == 0)
            return 1u << i;
    }
    return 0;
}

int shoal_consent_state(const struct shoal_record *record, unsigned consent)
{
    if (!(record->consent & consent << SHOAL_CONSENT_KNOWN_SHIFT))
        return -1;
    return (record->consent & consent) != 0;
}

void shoal_consent_apply(struct shoal_record *record, const struct shoal_event *event)
{
    unsigned given = event->consent_given & SHOAL_CONSENT_ALL;
    unsigned withdrawn = event->consent_withdrawn & SHOAL_CONSENT_ALL;
    unsigned said = (given | withdrawn) << SHOAL_CONSENT_KNOWN_SHIFT;
    record->consent = (uint8_t)(((record->consent | given) & ~withdrawn) | said);
}
