"""A simulated GigE Vision camera whose pictures tell which lamp was lit; lamps are switched by lines on stdin.

python serve_camera.py ADDRESS SERIAL SHARE_OF_LOST_PACKETS
"""

import sys
import time

import numpy as np

from hardware_ingest.camera.gige_device import GigeDevice

#: What a frame shows when the lamp changed while the shutter was open.
SMEARED = 4095

#: (time, lamp), newest last; appended to by one thread and read by another.
switched = [(0, 0)]


def see(exposure_us, gain_db, width_px, height_px):
    opened_ns, lamp = time.time_ns(), switched[-1][1]
    closed_ns = opened_ns + exposure_us * 1000

    def develop():
        smeared = any(opened_ns < changed_ns < closed_ns for changed_ns, _ in switched)
        return np.full((height_px, width_px), SMEARED if smeared else lamp, np.uint16)

    return develop


address, serial, lost_packets = sys.argv[1:]
with GigeDevice(see, serial, address, float(lost_packets)) as device:
    print("ready", flush=True)
    for line in sys.stdin:
        switched.append((time.time_ns(), int(line)))
        print("lit", flush=True)
if device.error:
    raise device.error
