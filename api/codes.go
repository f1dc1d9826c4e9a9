package api

import "github.com/resctl/resctl/reconcile"

// The codes of what a server refuses and a client meets.
const (
	codeToken       = "RC650"
	codeScope       = "RC651"
	codeWorkspace   = "RC652"
	codeRequest     = "RC653"
	codeBusy        = "RC654"
	codeNoRoute     = "RC655"
	codeVersions    = "RC656"
	codeUnreachable = "RC657"
	codeUntrusted   = "RC658"
	codeStranger    = "RC659"
	codeClear       = "RC660"
	codeFailed      = "RC699"
)

// Codes explains them, but for RC699. docs/codes.md is held against it.
func Codes() []reconcile.Code {
	return []reconcile.Code{
		{Code: codeToken, Title: "no token, or a wrong one", Meaning: "A server was asked over the network without a token, or with one that it does not know.", Remedy: "Set RESCTL_TOKEN. A token is made known to a server by its hash: resctl serve --api-token."},
		{Code: codeScope, Title: "the token does not allow it", Meaning: "The scope of the token (read, plan, write, admin) does not include what was asked for.", Remedy: "Use a token of the scope that the message names."},
		{Code: codeWorkspace, Title: "not the token's workspace", Meaning: "The token is limited to workspaces, and what was asked for is about another one.", Remedy: "Use another token, or correct workspace in the resctl block."},
		{Code: codeRequest, Title: "a request that cannot be read", Meaning: "A request to a server has a parameter or a body that is not what its method takes, or is too large.", Remedy: "The message says what is wrong; docs/api.md shows requests."},
		{Code: codeBusy, Title: "too many requests", Meaning: "Too many requests are under way, or too many wrong tokens came from an address.", Remedy: "Wait as long as the header Retry-After says, and ask again."},
		{Code: codeNoRoute, Title: "no such address of the API", Meaning: "The API has no such path, or it has another method, or this process does not offer it.", Remedy: "GET /v1/openapi.json describes what there is."},
		{Code: codeVersions, Title: "versions do not go together", Meaning: "Client and server speak versions of the API of which one does not know the other.", Remedy: "Use a resctl of the version that the message names on both sides."},
		{Code: codeUnreachable, Title: "the server does not answer", Meaning: "Nobody answers at the address of --server, RESCTL_SERVER or the resctl block.", Remedy: "See that resctl serve --api runs there, and that the address and its port are right."},
		{Code: codeUntrusted, Title: "the server cannot be trusted", Meaning: "The certificate of the server is signed by nobody whom this machine trusts, is of another name, or has run out.", Remedy: "Name the certificate of who signs in RESCTL_CA_FILE, or correct the address or the certificate."},
		{Code: codeStranger, Title: "no resctl answers", Meaning: "Something answers at the address that is no resctl serve: a proxy, a login page, another program.", Remedy: "Correct the address; a proxy must pass /v1/ to resctl serve."},
		{Code: codeClear, Title: "the token would travel in clear", Meaning: "RESCTL_TOKEN is set, and the server's address begins with http:// and is not this machine.", Remedy: "Use https://."},
	}
}
