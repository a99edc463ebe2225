#include <features.h>

/* Names of users, services and hosts in the static program.
 *
 * The C library would look into the host's /etc/nsswitch.conf and load the modules named there, built
 * for the host's own C library: with another version of it beside them the process dies (SIGFPE, seen
 * with libnss_systemd of glibc 2.41). Since 2.34 what reads files and asks DNS is linked in; that is
 * what we ask, whatever the host asks. Before, even that is a module, and nothing helps. */
#ifdef __GLIBC__
#if !__GLIBC_PREREQ(2, 34)
#error a static program needs glibc 2.34 (Debian 12, Ubuntu 22.04) or musl; it runs on older hosts, too
#endif
#include <nss.h>

__attribute__((constructor)) static void linked_services_only(void)
{
	__nss_configure_lookup("passwd", "files");
	__nss_configure_lookup("group", "files");
	__nss_configure_lookup("services", "files");
	__nss_configure_lookup("hosts", "files dns");
}
#endif
