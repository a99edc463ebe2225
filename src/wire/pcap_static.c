#include <stddef.h>

/* For -Dstatic=true. libpcap can capture on the D-Bus, which drags in libdbus and libsystemd; the latter
 * exists as no archive. Its two entry points stand here, among the objects of the program,
 * which come before any archive, and never find a device; in a libpcap without D-Bus nobody calls them.
 * Source: libpcap pcap-dbus.h, and capture_source_types[] in pcap.c. */

struct pcap;
struct pcap *dbus_create(const char *device, char *errors, int *is_ours);
int dbus_findalldevs(void *devices, char *errors);

struct pcap *dbus_create(const char *device, char *errors, int *is_ours)
{
	(void)device;
	(void)errors;
	*is_ours = 0;
	return NULL;
}

int dbus_findalldevs(void *devices, char *errors)
{
	(void)devices;
	(void)errors;
	return 0;
}
