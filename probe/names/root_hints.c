#include "root_hints.h"

#include <stddef.h>
#include <stdio.h>

/* https://www.internic.net/domain/named.root */
static const struct {
	char letter;
	const char *v4, *v6;
} hints[] = {
	{'a', "198.41.0.4", "2001:503:ba3e::2:30"},
	{'b', "170.247.170.2", "2801:1b8:10::b"},
	{'c', "192.33.4.12", "2001:500:2::c"},
	{'d', "199.7.91.13", "2001:500:2d::d"},
	{'e', "192.203.230.10", "2001:500:a8::e"},
	{'f', "192.5.5.241", "2001:500:2f::f"},
	{'g', "192.112.36.4", "2001:500:12::d0d"},
	{'h', "198.97.190.53", "2001:500:1::53"},
	{'i', "192.36.148.17", "2001:7fe::53"},
	{'j', "192.58.128.30", "2001:503:c27::2:30"},
	{'k', "193.0.14.129", "2001:7fd::1"},
	{'l', "199.7.83.42", "2001:500:9f::42"},
	{'m', "202.12.27.33", "2001:dc3::35"},
};

static void add(struct zone_cut *root, const char *host, const char *text)
{
	struct address address;

	if (address_parse(&address, text) == 0)
		zone_cut_add_address(root, host, &address);
}

void root_hints_fill(struct zone_cut *root)
{
	*root = (struct zone_cut){0};
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		char host[OBS_NAME];

		(void)snprintf(
			host, sizeof(host), "%c.root-servers.net", hints[i].letter);
		zone_cut_add_host(root, host);
		add(root, host, hints[i].v4);
		add(root, host, hints[i].v6);
	}
}
