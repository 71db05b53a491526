//! Which Sigma log sources a Windows event belongs to, by its channel and number, as SigmaHQ's taxonomy has them.

use engine::sigma::LogSource;

const SERVICES: [(&str, &str); 22] = [
    ("Application", "application"),
    ("Security", "security"),
    ("System", "system"),
    ("Microsoft-Windows-Sysmon/Operational", "sysmon"),
    ("Microsoft-Windows-PowerShell/Operational", "powershell"),
    ("PowerShellCore/Operational", "powershell"),
    ("Windows PowerShell", "powershell-classic"),
    ("Microsoft-Windows-WMI-Activity/Operational", "wmi"),
    ("Microsoft-Windows-TaskScheduler/Operational", "taskscheduler"),
    ("Microsoft-Windows-Windows Defender/Operational", "windefend"),
    ("Microsoft-Windows-Windows Firewall With Advanced Security/Firewall", "firewall-as"),
    ("Microsoft-Windows-Bits-Client/Operational", "bits-client"),
    ("Microsoft-Windows-NTLM/Operational", "ntlm"),
    ("Microsoft-Windows-SMBClient/Security", "smbclient-security"),
    ("Microsoft-Windows-SmbClient/Connectivity", "smbclient-connectivity"),
    ("Microsoft-Windows-PrintService/Admin", "printservice-admin"),
    ("Microsoft-Windows-PrintService/Operational", "printservice-operational"),
    ("Microsoft-Windows-TerminalServices-LocalSessionManager/Operational", "terminalservices-localsessionmanager"),
    ("Microsoft-Windows-DriverFrameworks-UserMode/Operational", "driver-framework"),
    ("Microsoft-Windows-CodeIntegrity/Operational", "codeintegrity-operational"),
    ("Microsoft-Windows-AppLocker/EXE and DLL", "applocker"),
    ("Microsoft-Windows-DNS-Client/Operational", "dns-client"),
];

/// The log source of an event, once for each category that it belongs to.
pub fn logsources(channel: &str, number: &str) -> Vec<LogSource> {
    let service = SERVICES.iter().find(|(own, _)| own.eq_ignore_ascii_case(channel)).map(|(_, service)| *service);
    let categories = categories(service.unwrap_or_default(), number);
    let logsource = |category: Option<&&str>| LogSource {
        product: Some("windows".to_owned()),
        category: category.map(|category| (*category).to_owned()),
        service: service.map(str::to_owned),
        definition: None,
    };
    if categories.is_empty() {
        vec![logsource(None)]
    } else {
        categories.iter().map(|own| logsource(Some(own))).collect()
    }
}

fn categories(service: &str, number: &str) -> &'static [&'static str] {
    match (service, number) {
        ("sysmon", "1") | ("security", "4688") => &["process_creation"],
        ("sysmon", "2") => &["file_change"],
        ("sysmon", "3") => &["network_connection"],
        ("sysmon", "4" | "16") => &["sysmon_status"],
        ("sysmon", "5") => &["process_termination"],
        ("sysmon", "6") => &["driver_load"],
        ("sysmon", "7") => &["image_load"],
        ("sysmon", "8") => &["create_remote_thread"],
        ("sysmon", "9") => &["raw_access_thread"],
        ("sysmon", "10") => &["process_access"],
        ("sysmon", "11") => &["file_event"],
        ("sysmon", "12") => &["registry_event", "registry_add", "registry_delete"],
        ("sysmon", "13") => &["registry_event", "registry_set"],
        ("sysmon", "14") => &["registry_event", "registry_rename"],
        ("sysmon", "15") => &["create_stream_hash"],
        ("sysmon", "17" | "18") => &["pipe_created"],
        ("sysmon", "19" | "20" | "21") => &["wmi_event"],
        ("sysmon", "22") => &["dns_query"],
        ("sysmon", "23") => &["file_delete"],
        ("sysmon", "24") => &["clipboard_capture"],
        ("sysmon", "25") => &["process_tampering"],
        ("sysmon", "26") => &["file_delete_detected"],
        ("sysmon", "27") => &["file_block_executable"],
        ("sysmon", "28") => &["file_block_shredding"],
        ("sysmon", "29") => &["file_executable_detected"],
        ("sysmon", "255") => &["sysmon_error"],
        ("powershell", "4103") => &["ps_module"],
        ("powershell", "4104") => &["ps_script"],
        ("powershell-classic", "400") => &["ps_classic_start"],
        ("powershell-classic", "600") => &["ps_classic_provider_start"],
        _ => &[],
    }
}
