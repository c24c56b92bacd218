package app

import (
	"strings"

	"perch/hotdesk/directory"
	"perch/internal/config"
	"perch/sip/feature"
	"perch/sip/media/prompts"
)

// noPrompts says what a Perch built without prompts cannot do.
const noPrompts = "this perch was built without spoken prompts: feature codes play a melody for yes or no, and cannot ask"

// spoken gives what feature codes speak with.
func (a *App) spoken() feature.Prompts {
	if missing := prompts.Missing(directory.Languages()); len(missing) > 0 {
		a.log.Warn(noPrompts, "languages", strings.Join(missing, " "))
	}
	return prompts.Open(a.cfg.Media.Prompts, a.log)
}

// checkPrompts tells of prompts that were not built in, and of files of the
// operator's that will not be played.
func checkPrompts(cfg config.Config) (out []Finding) {
	built := Finding{What: "prompts"}
	if missing := prompts.Missing(directory.Languages()); len(missing) > 0 {
		built.Fault, built.Warn, built.Mend = noPrompts+" ("+strings.Join(missing, " ")+")", true, "build with make build, which needs espeak-ng and sox"
	}
	out = append(out, built)
	if cfg.Media.Prompts == "" {
		return out
	}
	what := "media.prompts " + cfg.Media.Prompts
	faults := prompts.Check(cfg.Media.Prompts, directory.Languages())
	for _, err := range faults {
		out = append(out, Finding{What: what, Fault: err.Error(), Warn: true, Mend: "the next best prompt is played instead; mend the file, or take it away"})
	}
	if len(faults) == 0 {
		out = append(out, Finding{What: what})
	}
	return out
}
