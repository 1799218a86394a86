// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tells the guest of VMBus, as on Hyper-V: a device with MMIO space, and VMBus
 * below it. Nothing is behind these addresses: who reads them reads ones.
 */
DefinitionBlock ("", "SSDT", 2, "KMCL", "KMCLVMBS", 1)
{
    Scope (\_SB)
    {
        Device (VMOD)
        {
            Name (_HID, "VMOD0001")
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate ()
            {
                QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                    NonCacheable, ReadWrite,
                    0, 0xC000000000, 0xC003FFFFFF, 0, 0x4000000)
            })
            Device (VMBS)
            {
                Name (_HID, "VMBus")
                Name (_UID, 0)
                Name (_DDN, "VMBUS")
                Name (_CRS, ResourceTemplate () {})
                Method (_STA) { Return (0xF) }
            }
        }
    }
}
