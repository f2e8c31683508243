/*
 * Belief: a service's keys are few and known, and new ones come from the same issuer,
 * shortly before the old certificate ends. So a certificate of an issuer that is not
 * expected, or was never seen; a new key of the same issuer with more than a third of the
 * old one's life left; and one that does not verify are somebody else's. The same key
 * under another issuer is a renewal, for only its owner has it. Issuers below one root,
 * where the chain was verified up to it, count as one. A certificate that was
 * issued long ago and is met for the first time stands on another edge: a warning.
 * One meeting is a slip: two probes page, or a gateway or sentinel twice; one employee's
 * machine alone is a note.
 *
 * A machine that meets one strange issuer at several services at once is behind a proxy
 * or a captive portal that shows its own certificates: that is noted, for its site, and
 * pages nobody, unless a gateway or sentinel meets it, too. A certificate that will end
 * soon is a warning, in its last day a page, as is one that has ended: trouble, but no
 * attack.
 */
#ifndef ASTRAY_DETECT_CERTIFICATE_H
#define ASTRAY_DETECT_CERTIFICATE_H

#include "detector.h"

extern const struct detector detect_certificate;

#endif
