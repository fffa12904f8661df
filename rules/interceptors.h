/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Products that make certificates on the fly, by words in the issuer's name
 * (D8). Compared without regard to case, anywhere in the RFC 2253 form. Only
 * words that a certificate of the vendor's own servers does not carry: those
 * come from public CAs. Public CAs' names must not appear here.
 */
#ifndef STRIPWIRE_INTERCEPTORS_H
#define STRIPWIRE_INTERCEPTORS_H

enum interceptor_kind {
	ICPT_TOOL, /* made for looking into traffic by hand */
	ICPT_GATEWAY, /* firewall, proxy, mail or web gateway */
	ICPT_ENDPOINT /* antivirus and the like, on the client itself */
};

struct interceptor {
	const char *words; /* in the issuer */
	const char *product;
	enum interceptor_kind kind;
};

static const struct interceptor interceptors[] = {
    {"mitmproxy", "mitmproxy", ICPT_TOOL},
    {"PortSwigger", "Burp Suite", ICPT_TOOL},
    {"DO_NOT_TRUST_FiddlerRoot", "Fiddler", ICPT_TOOL},
    {"Charles Proxy", "Charles", ICPT_TOOL},
    {"OWASP Zed Attack Proxy", "OWASP ZAP", ICPT_TOOL},
    {"OWASP Root CA", "OWASP ZAP", ICPT_TOOL},
    {"sslsplit", "sslsplit", ICPT_TOOL},
    {"SSLsniff", "sslsniff", ICPT_TOOL},
    {"bettercap", "bettercap", ICPT_TOOL},
    {"ettercap", "ettercap", ICPT_TOOL},
    {"Evilginx", "evilginx", ICPT_TOOL},
    {"Fortinet", "FortiGate", ICPT_GATEWAY},
    {"FortiGate", "FortiGate", ICPT_GATEWAY},
    {"Zscaler", "Zscaler", ICPT_GATEWAY},
    {"Blue Coat", "Blue Coat ProxySG", ICPT_GATEWAY},
    {"BlueCoat", "Blue Coat ProxySG", ICPT_GATEWAY},
    {"Palo Alto Networks", "Palo Alto Networks", ICPT_GATEWAY},
    {"Sophos SSL CA", "Sophos firewall", ICPT_GATEWAY},
    {"SophosApplianceCertificate", "Sophos firewall", ICPT_GATEWAY},
    {"Sophos Web Appliance", "Sophos Web Appliance", ICPT_GATEWAY},
    {"Fireware HTTPS Proxy", "WatchGuard", ICPT_GATEWAY},
    {"WatchGuard", "WatchGuard", ICPT_GATEWAY},
    {"SonicWALL", "SonicWall DPI-SSL", ICPT_GATEWAY},
    {"DPI-SSL", "SonicWall DPI-SSL", ICPT_GATEWAY},
    {"Check Point", "Check Point gateway", ICPT_GATEWAY},
    {"Barracuda", "Barracuda", ICPT_GATEWAY},
    {"Cisco Umbrella", "Cisco Umbrella", ICPT_GATEWAY},
    {"Firepower", "Cisco Firepower", ICPT_GATEWAY},
    {"IronPort", "Cisco IronPort", ICPT_GATEWAY},
    {"Netskope", "Netskope", ICPT_GATEWAY},
    {"goskope", "Netskope", ICPT_GATEWAY},
    {"Forcepoint", "Forcepoint", ICPT_GATEWAY},
    {"Websense", "Websense", ICPT_GATEWAY},
    {"McAfee Web Gateway", "McAfee Web Gateway", ICPT_GATEWAY},
    {"Skyhigh Secure Web", "Skyhigh Web Gateway", ICPT_GATEWAY},
    {"iboss", "iboss", ICPT_GATEWAY},
    {"Smoothwall", "Smoothwall", ICPT_GATEWAY},
    {"Untangle", "Untangle", ICPT_GATEWAY},
    {"Lightspeed", "Lightspeed", ICPT_GATEWAY},
    {"ContentKeeper", "ContentKeeper", ICPT_GATEWAY},
    {"Securly", "Securly", ICPT_GATEWAY},
    {"Squid proxy", "Squid", ICPT_GATEWAY},
    {"Gigamon", "Gigamon", ICPT_GATEWAY},
    {"Kerio Control", "Kerio Control", ICPT_GATEWAY},
    {"Cyberoam", "Cyberoam", ICPT_GATEWAY},
    {"Stormshield", "Stormshield", ICPT_GATEWAY},
    {"Cato Networks", "Cato Networks", ICPT_GATEWAY},
    {"Trend Micro InterScan", "Trend Micro InterScan", ICPT_GATEWAY},
    {"Kaspersky", "Kaspersky", ICPT_ENDPOINT},
    {"avast! Web/Mail Shield", "Avast", ICPT_ENDPOINT},
    {"Avast Web/Mail Shield", "Avast", ICPT_ENDPOINT},
    {"avast! Mail Scanner", "Avast", ICPT_ENDPOINT},
    {"AVG Web/Mail Shield", "AVG", ICPT_ENDPOINT},
    {"Norton Web/Mail Shield", "Norton", ICPT_ENDPOINT},
    {"Web/Mail Shield", "Avast, AVG or Norton", ICPT_ENDPOINT},
    {"ESET SSL Filter", "ESET", ICPT_ENDPOINT},
    {"Bitdefender", "Bitdefender", ICPT_ENDPOINT},
    {"BullGuard", "BullGuard", ICPT_ENDPOINT},
    {"Dr.Web", "Dr.Web", ICPT_ENDPOINT},
    {"AdGuard", "AdGuard", ICPT_ENDPOINT},
    {"G DATA Mail", "G DATA", ICPT_ENDPOINT},
    {"Panda Security", "Panda", ICPT_ENDPOINT},
    {"Qustodio", "Qustodio", ICPT_ENDPOINT},
    {"Net Nanny", "Net Nanny", ICPT_ENDPOINT},
    {"ContentWatch", "Net Nanny", ICPT_ENDPOINT},
    {"Covenant Eyes", "Covenant Eyes", ICPT_ENDPOINT},
    {"Superfish", "Superfish", ICPT_ENDPOINT},
    {"Komodia", "Komodia", ICPT_ENDPOINT},
    {"PrivDog", "PrivDog", ICPT_ENDPOINT},
};

#endif
