/*
 * How DNS providers name the domains of their servers. Where customers share a provider,
 * a genuine name of his is no proof of one's own zone behind it. Pure data.
 */
#ifndef ASTRAY_PROVIDER_TABLE_H
#define ASTRAY_PROVIDER_TABLE_H

/* The provider to whom this registrable domain belongs, by name, or NULL. One provider's
 * rows give the same text. */
const char *provider_table_find(const char *registrable);

#endif
