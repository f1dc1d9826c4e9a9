package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/resctl/resctl/ocppclient"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// securityFlags say how stations and the endpoint prove who they are.
type securityFlags struct {
	profile     string
	files       ocppclient.CredentialFiles
	perAddress  int
	messageRate int
}

func (f *securityFlags) flags(s *pflag.FlagSet) {
	s.StringVar(&f.profile, "security-profile", "", "security profile `N` of OCPP, 0 to 3 (default 0; 2 with --tls-cert; 3 with --client-ca)")
	s.StringArrayVar(&f.files.Certificates, "tls-cert", nil, "show stations the certificate in `FILE`, with its chain; may be repeated, for an RSA and an ECDSA one")
	s.StringArrayVar(&f.files.Keys, "tls-key", nil, "the key in `FILE` belongs to --tls-cert")
	s.StringVar(&f.files.ClientCA, "client-ca", "", "stations need certificates of those in `FILE`")
	s.BoolVar(&f.files.RSAKeyExchange, "tls-rsa-key-exchange", false, "allow TLS_RSA suites, for old stations: they have no forward secrecy")
	s.IntVar(&f.perAddress, "max-per-address", 1024, "take `N` connections from one address at most; -1: any number")
	s.IntVar(&f.messageRate, "max-message-rate", 100, "read `N` messages of one station in a second, in the long run; -1: any number")
}

// given reports whether anything was said of TLS or a profile.
func (f *securityFlags) given() bool {
	return f.profile != "" || len(f.files.Certificates)+len(f.files.Keys) > 0 || f.files.ClientCA != "" || f.files.RSAKeyExchange
}

// settled is the profile, with everything that it needs.
func (f *securityFlags) settled() (ocppclient.Profile, error) {
	withTLS, withCA := len(f.files.Certificates)+len(f.files.Keys) > 0, f.files.ClientCA != ""
	given := f.profile
	switch {
	case given == "" && withCA:
		given = "3"
	case given == "" && withTLS:
		given = "2"
	case given == "":
		given = "0"
	}
	if len(given) != 1 || given < "0" || given > "3" {
		return 0, problemf(codeUsage, "Wrong --security-profile", "It is 0, 1, 2 or 3.")
	}
	profile := ocppclient.Profile(given[0] - '0')
	switch {
	case len(f.files.Certificates) != len(f.files.Keys):
		return 0, problemf(codeUsage, "Certificate without key", "Each --tls-cert needs its --tls-key.")
	case profile >= ocppclient.ProfileTLS && !withTLS:
		return 0, problemf(codeUsage, "TLS without a certificate", "Security profile %d needs --tls-cert and --tls-key.", profile)
	case profile < ocppclient.ProfileTLS && withTLS:
		return 0, problemf(codeUsage, "A certificate without TLS", "Security profile %d has no TLS. With --tls-cert it is 2 or 3.", profile)
	case (profile == ocppclient.ProfileMutual) != withCA:
		return 0, problemf(codeUsage, "Whose certificates?", "Security profile 3 needs --client-ca, and no other profile takes it.")
	case f.files.RSAKeyExchange && !withTLS:
		return 0, problemf(codeUsage, "--tls-rsa-key-exchange without TLS", "It goes with --tls-cert.")
	case f.perAddress == 0 || f.perAddress < -1:
		return 0, problemf(codeUsage, "Wrong --max-per-address", "It is a number from 1 on, or -1.")
	case f.messageRate == 0 || f.messageRate < -1 || f.messageRate > 1e6:
		return 0, problemf(codeUsage, "Wrong --max-message-rate", "It is a number from 1 to 1000000, or -1.")
	}
	return profile, nil
}

// secure decides how stations come in at an address, before it is listened on.
// Stations that could not come in, or that anyone could pose as, keep it from
// being used; those that are declared later without a proof are not let in.
func (w *workplace) secure(f securityFlags, address string, insecure bool, p *reconcile.Plan, s *reconcile.State) error {
	profile, err := f.settled()
	if err != nil {
		return err
	}
	open, missing := withoutPassword(p, s), "password"
	if profile == ocppclient.ProfileMutual {
		open, missing = without(p, s, func(d *reservation.StationDeclaration) bool { return d.SerialNumber != "" }), "serial_number"
	}
	exposed := open
	if profile != ocppclient.ProfileNone {
		exposed = ""
	}
	if err := checkExposure(address, exposed, insecure); err != nil {
		return err
	}
	if profile != ocppclient.ProfileNone && open != "" {
		return problemf(codeUnproven, "A station could not come in", "At security profile %d every station needs a %s, and %s has none.\nAdd it to its station block.", profile, missing, open)
	}
	w.security, w.perAddress, w.messageRate = ocppclient.Security{Profile: profile}, f.perAddress, f.messageRate
	far := ocppclient.CheckExposure(address, false, false) != nil
	w.guarded = far && !insecure && profile == ocppclient.ProfileNone
	if profile < ocppclient.ProfileTLS {
		if far {
			w.log.Warn("passwords and tokens of stations travel in the clear: use --tls-cert, or a proxy that ends TLS", "address", address)
		}
		return nil
	}
	if w.credentials, err = ocppclient.LoadCredentials(f.files); err != nil {
		return problemf(codeCredentials, "The certificates cannot be used", "%s.", harmless(err.Error()))
	}
	w.security.TLS = w.credentials.TLS()
	return nil
}

// hangups gives the signals at which something is read again. They come from now
// on, before anybody is told that this process is ready. Where nothing is read
// again, SIGHUP ends it as it does others.
func (w *workplace) hangups() chan os.Signal {
	hup := make(chan os.Signal, 1)
	if w.credentials != nil || w.monitor != nil {
		signal.Notify(hup, syscall.SIGHUP)
	}
	return hup
}

// readAgain does so upon each until ctx ends.
func (w *workplace) readAgain(ctx context.Context, hup chan os.Signal) {
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
		}
		w.notify("RELOADING=1")
		w.reload()
		w.notify("READY=1")
	}
}

// reload reads again what may change while stations are served.
func (w *workplace) reload() {
	if w.again != nil {
		w.again()
		return
	}
	used := w.allCredentials()
	if len(used) == 0 {
		w.log.Info("nothing is read again: there are no certificates")
	}
	for whose, c := range used {
		if err := c.Reload(); err != nil {
			w.log.Error("certificates could not be read again: the old ones stay", "of", whose, "error", err)
		} else {
			w.log.Info("certificates were read again", "of", whose)
		}
	}
}

// allCredentials are the certificates in use, by who is shown them.
func (w *workplace) allCredentials() map[string]*ocppclient.Credentials {
	all := map[string]*ocppclient.Credentials{}
	if w.credentials != nil {
		all["stations"] = w.credentials
	}
	if w.api != nil && w.api.credentials != nil {
		all["api"] = w.api.credentials
	}
	return all
}
