// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMIO space for VMBus devices. QEMU's VMBus has none; Linux looks for it in the
 * resources of the ACPI devices above VMBus, so they are added there. Nothing is
 * behind these addresses: who reads them reads ones.
 */
DefinitionBlock ("", "SSDT", 2, "KMCL", "KMCLMMIO", 1)
{
    Scope (\_SB)
    {
        Name (_CRS, ResourceTemplate ()
        {
            QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                NonCacheable, ReadWrite,
                0, 0xC000000000, 0xC003FFFFFF, 0, 0x4000000)
        })
    }
}
