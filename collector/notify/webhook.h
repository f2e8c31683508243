/*
 * The generic webhook: the incident as the wire contract has it, in one POST. With a
 * secret it is signed as Standard Webhooks wants it (webhook-id, webhook-timestamp,
 * webhook-signature).
 */
#ifndef NOTIFY_WEBHOOK_H
#define NOTIFY_WEBHOOK_H

#include "notifier.h"

extern const struct notifier_kind webhook_notifier;

#endif
