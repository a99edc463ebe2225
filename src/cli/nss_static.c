#include <features.h>
#include <stdbool.h>

/* Names of users, services and hosts in the static program.
 *
 * The C library would look into the host's /etc/nsswitch.conf and load the modules named there, built
 * for the host's own C library: with another version of it beside them the process dies (SIGFPE, seen
 * with libnss_systemd of glibc 2.41). Since 2.34 what reads files and asks DNS is linked in; that is
 * what we ask, whatever the host asks. Before, even that is a module: then no name is known. */
#ifdef __GLIBC__
#include <nss.h>

__attribute__((constructor)) static void linked_services_only(void)
{
	bool is_linked = __GLIBC_PREREQ(2, 34);

	__nss_configure_lookup("passwd", is_linked ? "files" : "");
	__nss_configure_lookup("group", is_linked ? "files" : "");
	__nss_configure_lookup("services", is_linked ? "files" : "");
	__nss_configure_lookup("hosts", is_linked ? "files dns" : "");
}
#endif
