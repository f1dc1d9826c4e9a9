package ocppclient

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
)

// Profile is a security profile of OCPP (2.0.1 part 2, A00; for 1.6 the
// whitepaper "Improved security for OCPP 1.6-J").
type Profile int

// The security profiles. The first has no number in the standard.
const (
	ProfileNone   Profile = 0 // a password only where Admission demands one
	ProfileBasic  Profile = 1 // every station has a password
	ProfileTLS    Profile = 2 // the same over TLS
	ProfileMutual Profile = 3 // TLS, and every station has a certificate
)

// Security says how a station proves who it is, and the endpoint who it is.
type Security struct {
	Profile Profile
	// TLS is of profiles 2 and 3 alone, and needed there: Credentials.TLS. At
	// profile 3 it must demand and verify client certificates; a socket
	// without a verified one is refused in any case.
	TLS *tls.Config
}

func (s Security) check() error {
	switch {
	case s.Profile < ProfileNone || s.Profile > ProfileMutual:
		return fmt.Errorf("ocpp endpoint: security profile %d: there are 0 to 3", s.Profile)
	case s.Profile >= ProfileTLS && s.TLS == nil:
		return fmt.Errorf("ocpp endpoint: security profile %d: it needs TLS", s.Profile)
	case s.Profile < ProfileTLS && s.TLS != nil:
		return fmt.Errorf("ocpp endpoint: security profile %d: it has no TLS", s.Profile)
	}
	return nil
}

// link refuses what came in another way than the profile says. It is for
// servers that are mounted elsewhere: Run lets nothing else through.
func (s Security) link(r *http.Request) *refusal {
	switch {
	case s.Profile >= ProfileTLS && r.TLS == nil:
		return &refusal{cause: RefusedLink, status: http.StatusForbidden, text: "this endpoint takes wss:// alone"}
	case s.Profile == ProfileMutual && len(r.TLS.VerifiedChains) == 0:
		return &refusal{cause: RefusedLink, status: http.StatusForbidden, text: "a client certificate is needed"}
	}
	return nil
}

// proves reports whether a known station has shown that it is the one. The
// work is the same for an unknown one.
func (s Security) proves(r *http.Request, a Admission) bool {
	if s.Profile == ProfileMutual {
		name := commonName(r)
		return name != "" && (a.Stranger || name == a.SerialNumber)
	}
	_, password, given := r.BasicAuth()
	if a.CheckPassword != nil {
		return a.CheckPassword([]byte(password)) && given
	}
	return s.Profile == ProfileNone
}

// unproven is what a station hears that has not shown who it is.
func (s Security) unproven() *refusal {
	if s.Profile == ProfileMutual {
		return &refusal{cause: RefusedCredentials, status: http.StatusForbidden, text: "the certificate's common name must be the station's serial number"}
	}
	return &refusal{cause: RefusedCredentials, status: http.StatusUnauthorized, text: "user name must be the station identity, with its password"}
}

// commonName is that of the certificate which a station has shown: its serial
// number, not its identity (2.0.1 part 2, A00, on client certificates).
func commonName(r *http.Request) string {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return ""
	}
	return r.TLS.VerifiedChains[0][0].Subject.CommonName
}

// errForeignBoot says that a station booted under another serial number than
// that of its certificate.
var errForeignBoot = errors.New("boot: the serial number is not that of the certificate")
