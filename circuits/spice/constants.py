"""Constants that ngspice 39 computes with: those of 2014, older than the exact ones of 2019.

Node voltages of diode circuits differ by 6e-7 V between the two, so that agreement to 1e-9 needs its thermal voltage.
"""

BOLTZMANN, CHARGE = 1.38064852e-23, 1.6021766208e-19  # J/K, C
ROOM = 300.15  # K: 27 degrees Celsius
THERMAL_VOLTAGE = BOLTZMANN * ROOM / CHARGE
