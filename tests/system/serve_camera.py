"""A simulated GigE Vision camera whose pictures tell which lamp was lit; lamps are switched by lines on stdin.

python serve_camera.py ADDRESS SERIAL SHARE_OF_LOST_PACKETS
"""

import sys
import time

import numpy as np

from hardware_ingest.camera.gige_device import GigeDevice

#: What a frame shows when the lamp changed while the shutter was open.
SMEARED = 4095

lit = 0


def see(exposure_us, gain_db, width_px, height_px):
    opened = lit
    time.sleep(exposure_us / 1e6)
    return np.full((height_px, width_px), opened if opened == lit else SMEARED, np.uint16)


address, serial, lost_packets = sys.argv[1:]
with GigeDevice(see, serial, address, float(lost_packets)) as device:
    print("ready", flush=True)
    for line in sys.stdin:
        lit = int(line)
        print("lit", flush=True)
if device.error:
    raise device.error
