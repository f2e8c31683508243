/*
 * Alertmanager's API v2: one alert for each service of the incident (for each site where
 * it is about sites), said again each minute while it is open, and with its end when it
 * is resolved.
 *
 * An alert is what its labels say, so they hold only what stays the same: incident,
 * service or site, and severity. Where the severity has risen, the alert of the lesser
 * one ends.
 */
#ifndef NOTIFY_ALERTMANAGER_H
#define NOTIFY_ALERTMANAGER_H

#include "notifier.h"

extern const struct notifier_kind alertmanager_notifier;

#endif
