package main

import "github.com/resctl/resctl/reconcile"

// Exit codes. They are part of the contract: pipelines branch on them.
const (
	exitOK          = 0
	exitError       = 1 // also: declined, and wrong usage
	exitChanges     = 2 // plan --detailed-exitcode
	exitDrift       = 2 // drift --detailed-exitcode
	exitUnformatted = 3 // fmt --check
	exitFailOn      = 5 // plan --fail-on
	exitUnsettled   = 4 // stored, but something due has not settled in time
)

// The codes of what a command itself refuses.
const (
	codeUsage       = "RC601"
	codeNowhere     = "RC602"
	codeApproval    = "RC603"
	codeDeclined    = "RC604"
	codeInUse       = "RC605"
	codeState       = "RC606"
	codeNewer       = "RC607"
	codeAddress     = "RC608"
	codeExposed     = "RC609"
	codePlanFile    = "RC610"
	codeMixed       = "RC611"
	codeOtherWay    = "RC612"
	codeDirectory   = "RC613"
	codeStopped     = "RC614"
	codeEnded       = "RC615"
	codeNoAddress   = "RC620"
	codeNoStation   = "RC621"
	codeOutput      = "RC622"
	codeNoWorkspace = "RC623"
	codeNoOutput    = "RC624"
	codeBackup      = "RC625"
	codeErase       = "RC626"
	codeTaken       = "RC627"
	codeUnproven    = "RC628"
	codeCredentials = "RC629"
	codeLocal       = "RC661"
	codeUnnamed     = "RC662"
	codeOpenAPI     = "RC663"
	codeFailed      = "RC699"
	codeStale       = "RC701"
	codeMaxCancel   = "RC702"
	codeEmpty       = "RC703"
	codeDigest      = "RC704"
	codeFrozen      = "RC705"
	codeWatched     = "RC706"
	codeHeld        = "RC707"
	codeUnreadable  = "RC708"
	codeForeignDir  = "RC709"
	codeNothingHeld = "RC710"
)

// Codes explains the codes of the commands, as reconcile.Codes does those of
// plans. docs/codes.md is held against both.
func Codes() []reconcile.Code {
	return []reconcile.Code{
		{Code: codeUsage, Title: "wrong usage", Meaning: "A command, flag or argument does not exist, is missing, or does not go with another.", Remedy: "See resctl COMMAND --help."},
		{Code: codeNowhere, Title: "nothing would reach a station", Meaning: "apply was given no way to stations, and no resctl serve runs on this state.", Remedy: "Start resctl serve; or add --simulate to try it out, or --listen ADDR to let real stations connect."},
		{Code: codeApproval, Title: "nobody can approve", Meaning: "A plan must be approved, and there is no terminal, or --input=false forbids asking.", Remedy: "Pass --auto-approve, or apply a plan file that was reviewed."},
		{Code: codeDeclined, Title: "not approved", Meaning: "The answer was not yes. Nothing was stored.", Remedy: "Apply again and answer yes."},
		{Code: codeInUse, Title: "state in use", Meaning: "Another process works on this state; one at a time speaks to stations.", Remedy: "Wait for it to end, or stop it. Where it is resctl serve, leave out --listen and --simulate: apply works through it."},
		{Code: codeState, Title: "state cannot be used", Meaning: "The state file cannot be opened, read or written.", Remedy: "The message says what to do."},
		{Code: codeNewer, Title: "state of a newer resctl", Meaning: "A newer resctl has written the state file.", Remedy: "Use that version or a newer one."},
		{Code: codeAddress, Title: "cannot listen", Meaning: "The socket beside the state cannot be made; or the address of --listen, --metrics or --control is not free, not this machine's, or not an address; that of --control is one that other machines reach.", Remedy: "Choose another one, such as 127.0.0.1:8887."},
		{Code: codeExposed, Title: "anyone could pose as a station", Meaning: "--listen names an address that other machines reach, and not every station has a password; or --metrics names one, and metrics have none.", Remedy: "Give each station block a password, listen on 127.0.0.1, or say --insecure."},
		{Code: codePlanFile, Title: "plan file cannot be used", Meaning: "The file is missing, damaged, of another version, or no plan file.", Remedy: "Make one with resctl plan --out FILE."},
		{Code: codeMixed, Title: "simulated and real stations", Meaning: "A state has met either simulated or real stations, and never meets both.", Remedy: "Use another --state."},
		{Code: codeOtherWay, Title: "done differently here", Meaning: "A command or flag that Terraform has is not needed.", Remedy: "The message names resctl's way."},
		{Code: codeDirectory, Title: "no such directory", Meaning: "--chdir names something that is not a directory.", Remedy: "Correct the path."},
		{Code: codeStopped, Title: "interrupted", Meaning: "Ctrl-C or SIGTERM came before anything was stored.", Remedy: "Run it again."},
		{Code: codeEnded, Title: "serve has ended", Meaning: "The resctl serve through which a command worked has ended, or does not answer.", Remedy: "Start it again, and see with resctl plan what is left to do; nothing that was stored is lost."},
		{Code: codeNoAddress, Title: "no such address", Meaning: "An address, or a glob of --target, --exclude or --replace, stands for nothing that is declared or stored.", Remedy: "Correct it; resctl show lists what is stored."},
		{Code: codeNoStation, Title: "no such station", Meaning: "The state knows no station with this identity.", Remedy: "Correct the identity; resctl stations lists them."},
		{Code: codeOutput, Title: "file cannot be written", Meaning: "A file that a flag names cannot be written.", Remedy: "The message says why."},
		{Code: codeNoWorkspace, Title: "no such workspace", Meaning: "The state has no workspace with this name.", Remedy: "Correct the name; resctl workspace list has them."},
		{Code: codeNoOutput, Title: "no such output", Meaning: "No output block of the configuration has this name.", Remedy: "Correct the name; resctl output lists them."},
		{Code: codeBackup, Title: "backup cannot be made or used", Meaning: "The file cannot be written, or is no intact state of this or an older version of resctl.", Remedy: "The message says why; nothing was changed."},
		{Code: codeErase, Title: "token cannot be erased", Meaning: "Nothing has the token, or something that is wanted or open still has it, or another process reads the state.", Remedy: "Remove the reservations that use it, apply, and erase it then."},
		{Code: codeTaken, Title: "the address is taken", Meaning: "state mv or import would put one reservation in the place of another that is stored.", Remedy: "Forget that one first (resctl state rm), or choose another address."},
		{Code: codeUnproven, Title: "a station could not come in", Meaning: "--security-profile demands of every station a password, or a certificate with its serial number, and one has none declared.", Remedy: "Add password or serial_number to its station block."},
		{Code: codeCredentials, Title: "certificates cannot be used", Meaning: "A file of --tls-cert, --tls-key or --client-ca is missing, no PEM, or no certificate with its key.", Remedy: "The message says which; see docs/stations.md."},
		{Code: codeWatched, Title: "the workspace follows a directory", Meaning: "resctl serve keeps applied what a directory declares (--watch), and takes no other proposals of its workspace.", Remedy: "Change what is in the directory the message names; plan works. Or stop watching it."},
		{Code: codeHeld, Title: "the plan is held", Meaning: "A watched directory declares what would cancel more than --watch-max-cancel of what is held now, or keep nothing. Nothing was stored.", Remedy: "See it with resctl plan --held; carry it out with resctl apply --held, or correct the directory."},
		{Code: codeUnreadable, Title: "the directory cannot be applied", Meaning: "The configuration in a watched directory is broken, or is not there, keeps changing, or has not been read yet. What was applied before stays.", Remedy: "Correct what is named, with file and line, in the directory."},
		{Code: codeForeignDir, Title: "the directory is another workspace's", Meaning: "The resctl block in a watched directory names another workspace than the one that is watched. What was applied before stays.", Remedy: "Correct workspace in the resctl block, or --watch."},
		{Code: codeNothingHeld, Title: "nothing is held", Meaning: "plan --held and apply --held are about the plan of a watched directory that waits for a person, and none does.", Remedy: "See resctl drift; without --held, plan and apply work on the configuration here."},
		{Code: codeLocal, Title: "it does not go through a server", Meaning: "A command that works on files, on the state itself or on stations of this machine was given a server: init, fmt, simulate, serve, restore, and apply with --listen or --simulate.", Remedy: "Run it where the server runs, with --state FILE; or leave the server out."},
		{Code: codeUnnamed, Title: "the workspace is not named", Meaning: "A configuration that works through a server says no workspace, and another one may say none either.", Remedy: "Write workspace in the resctl block."},
		{Code: codeOpenAPI, Title: "anyone could reach the API", Meaning: "--api names an address that other machines reach, without tokens or without TLS.", Remedy: "Add --api-token, --api-cert and --api-key, listen on 127.0.0.1, or say --insecure."},
		{Code: codeFailed, Title: "failed", Meaning: "Something went wrong that has no code of its own.", Remedy: "The message says what."},
	}
}
