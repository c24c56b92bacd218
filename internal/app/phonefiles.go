package app

import (
	"fmt"

	"perch/provisioning"
	"perch/provisioning/files"
)

// phoneFirmware is the folder of firmware; nil where none is configured.
func (a *App) phoneFirmware() (provisioning.Firmware, error) {
	dir := a.cfg.Provisioning.Firmware
	if dir == "" {
		return nil, nil
	}
	f, err := files.OpenFirmware(dir, provisioning.FirmwareOf(a.brands), a.metrics.Provisioning.SetBadFirmware, a.log)
	if err != nil {
		return nil, fmt.Errorf("provisioning.firmware: %w", err)
	}
	a.life.task("firmware", f.Run)
	return f, nil
}

// phoneUploads keeps what phones send; nil where that is not configured.
func (a *App) phoneUploads() (provisioning.Uploads, error) {
	u := a.cfg.Provisioning.Uploads
	if u.Dir == "" {
		return nil, nil
	}
	const mb = 1 << 20
	kept, err := files.OpenUploads(u.Dir, files.Quotas{
		Files: u.PerDevice, Bytes: int64(u.PerDeviceMB) * mb, Total: int64(u.TotalMB) * mb,
	}, a.metrics.Provisioning.SetUploads, nil)
	if err != nil {
		return nil, fmt.Errorf("provisioning.uploads: %w", err)
	}
	return kept, nil
}
