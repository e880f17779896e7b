/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "stream/consent.h"

static struct shoal_record record;

static void say(unsigned given, unsigned withdrawn)
{
    struct shoal_event event = {.consent_given = (uint8_t)given,
                                .consent_withdrawn = (uint8_t)withdrawn};
    shoal_consent_apply(&record, &event);
}

Test(consent, never_said_given_and_withdrawn_are_three_states)
{
    enum { M = SHOAL_CONSENT_MARKETING, P = SHOAL_CONSENT_PERSONALIZATION };
    cr_assert_eq(shoal_consent_state(&record, M), -1);
    say(0, 0);
    cr_assert_eq(record.consent, 0, "an event that says nothing changes nothing");
    say(M, 0);
    cr_assert_eq(shoal_consent_state(&record, M), 1);
    cr_assert_eq(shoal_consent_state(&record, P), -1);
    say(P, M);
    cr_assert_eq(shoal_consent_state(&record, M), 0);
    cr_assert_eq(shoal_consent_state(&record, P), 1);
    say(M, 0);
    cr_assert_eq(shoal_consent_state(&record, M), 1, "it may be given again");
    say(0xf8, 0xf8);
    cr_assert_eq(record.consent, (M | P) | (M | P) << SHOAL_CONSENT_KNOWN_SHIFT, "no other bits");
}

Test(consent, names_are_those_of_the_policy)
{
    cr_assert_eq(shoal_consent_of("marketing"), SHOAL_CONSENT_MARKETING);
    cr_assert_eq(shoal_consent_of("personalization"), SHOAL_CONSENT_PERSONALIZATION);
    cr_assert_eq(shoal_consent_of("processing"), SHOAL_CONSENT_PROCESSING);
    cr_assert_eq(shoal_consent_of("all"), 0);
    cr_assert_null(shoal_consent_name(8));
    for (unsigned bit = 1; bit & SHOAL_CONSENT_ALL; bit <<= 1)
        cr_assert_eq(shoal_consent_of(shoal_consent_name(bit)), bit);
}

Test(consent, only_who_says_so_declines_to_be_processed)
{
    cr_assert_not(shoal_consent_declined(&record));
    say(SHOAL_CONSENT_MARKETING, SHOAL_CONSENT_PERSONALIZATION);
    cr_assert_not(shoal_consent_declined(&record));
    say(0, SHOAL_CONSENT_PROCESSING);
    cr_assert(shoal_consent_declined(&record));
    say(SHOAL_CONSENT_PROCESSING, 0);
    cr_assert_not(shoal_consent_declined(&record));
}
