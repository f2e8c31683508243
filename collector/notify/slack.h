/*
 * Slack's incoming webhooks: a message for each change of an incident.
 */
#ifndef NOTIFY_SLACK_H
#define NOTIFY_SLACK_H

#include "notifier.h"

extern const struct notifier_kind slack_notifier;

#endif
