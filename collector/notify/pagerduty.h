/*
 * PagerDuty's Events API v2: trigger, acknowledge and resolve under the incident's id.
 */
#ifndef NOTIFY_PAGERDUTY_H
#define NOTIFY_PAGERDUTY_H

#include "notifier.h"

extern const struct notifier_kind pagerduty_notifier;

#endif
